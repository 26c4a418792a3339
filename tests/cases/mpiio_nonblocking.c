// Non-blocking reads and writes (MPI-3.1, 13.4): started before the checkpoint, waited for after it, with the status
// that each has to have; collective ones too, in which one rank is late.
#include "mpi_file.h"

enum { kBytes = 100000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_nonblocking");
    static char out[3][kBytes], in[2][kBytes];
    MPI_Request requests[5];
    MPI_Status statuses[5];
    MPI_File file = open_shared(MPI_COMM_WORLD, "file", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File source = open_shared(MPI_COMM_SELF,
                                  rank == 0   ? "source.0"
                                  : rank == 1 ? "source.1"
                                  : rank == 2 ? "source.2"
                                              : "source.3",
                                  MPI_MODE_CREATE | MPI_MODE_RDWR);
    for (int i = 0; i < 3; ++i) fill(out[i], kBytes, rank * 10 + i);
    MPI_File_write_at(source, 0, out[2], kBytes, MPI_CHAR, MPI_STATUS_IGNORE);
    MPI_Offset base = (MPI_Offset)rank * 3 * kBytes;
    MPI_File_iwrite_at(file, base, out[0], kBytes, MPI_CHAR, &requests[0]);
    MPI_File_seek(file, base + kBytes, MPI_SEEK_SET);
    MPI_File_iwrite(file, out[1], kBytes, MPI_CHAR, &requests[1]);
    MPI_File_iread_at(source, kBytes / 2, in[0], kBytes / 2, MPI_CHAR, &requests[2]);
    MPI_File_iread(source, in[1], kBytes, MPI_CHAR, &requests[3]);
    if (rank == size - 1) compute_a_while();
    MPI_File_iwrite_at_all(file, base + 2 * kBytes, out[2], kBytes, MPI_CHAR, &requests[4]);
    ready();
    wait_for_go();

    CHECK_EQUAL(MPI_Waitall(5, requests, statuses), MPI_SUCCESS);
    for (int i = 0; i < 5; ++i) {
        CHECK(requests[i] == MPI_REQUEST_NULL);
        CHECK_EQUAL(moved(&statuses[i], MPI_CHAR), i == 2 ? kBytes / 2 : kBytes);
    }
    CHECK_EQUAL(position(file), base + 2 * kBytes);
    CHECK_EQUAL(position(source), kBytes);
    expect(in[1], kBytes, rank * 10 + 2, "what was read from the beginning");
    for (int i = 0; i < kBytes / 2; ++i) CHECK_EQUAL(in[0][i], in[1][kBytes / 2 + i]);
    MPI_Barrier(MPI_COMM_WORLD);
    int other = (rank + 1) % size;
    for (int i = 0; i < 3; ++i) {
        int done = 0;
        MPI_File_iread_at(file, ((MPI_Offset)other * 3 + i) * kBytes, in[0], kBytes, MPI_CHAR, &requests[0]);
        while (!done) MPI_Test(&requests[0], &done, &statuses[0]);
        CHECK_EQUAL(moved(&statuses[0], MPI_CHAR), kBytes);
        expect(in[0], kBytes, other * 10 + i, "what another rank wrote");
    }
    MPI_File_close(&file);
    MPI_File_close(&source);
    return finish();
}
