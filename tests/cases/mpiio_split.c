// Split collectives (MPI-3.1, 13.4.5) that have begun and not ended: the checkpoint lies between the two calls, and the
// status that the second one gives is the right one.  One rank begins late.
#include "mpi_file.h"

enum { kBytes = 20000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_split");
    static char out[kBytes], in[kBytes], more[kBytes], ordered[100];
    MPI_Status status;
    MPI_File written = open_shared(MPI_COMM_WORLD, "written", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File read = open_shared(MPI_COMM_WORLD, "read", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File lines = open_shared(MPI_COMM_WORLD, "lines", MPI_MODE_CREATE | MPI_MODE_RDWR);
    fill(out, kBytes, rank + 50);
    MPI_File_write_at_all(read, (MPI_Offset)rank * kBytes, out, kBytes, MPI_CHAR, MPI_STATUS_IGNORE);
    fill(out, kBytes, rank);
    fill(ordered, sizeof ordered, rank + 1000);
    MPI_File_seek(read, (MPI_Offset)rank * kBytes, MPI_SEEK_SET);
    if (rank == size - 1) compute_a_while();
    CHECK_EQUAL(MPI_File_write_at_all_begin(written, (MPI_Offset)rank * kBytes, out, kBytes, MPI_CHAR), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_read_all_begin(read, in, kBytes, MPI_CHAR), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_write_ordered_begin(lines, ordered, sizeof ordered, MPI_CHAR), MPI_SUCCESS);
    ready();
    wait_for_go();

    CHECK_EQUAL(MPI_File_read_all_end(read, in, &status), MPI_SUCCESS);
    CHECK_EQUAL(moved(&status, MPI_CHAR), kBytes);
    expect(in, kBytes, rank + 50, "what was read");
    CHECK_EQUAL(position(read), (rank + 1) * kBytes);
    CHECK_EQUAL(MPI_File_write_at_all_end(written, out, &status), MPI_SUCCESS);
    CHECK_EQUAL(moved(&status, MPI_CHAR), kBytes);
    CHECK_EQUAL(MPI_File_write_ordered_end(lines, ordered, &status), MPI_SUCCESS);
    CHECK_EQUAL(shared_position(lines), size * (long long)sizeof ordered);
    // The next operation begins and ends as always.
    int other = (rank + 1) % size;
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(MPI_File_read_at_all_begin(written, (MPI_Offset)other * kBytes, more, kBytes, MPI_CHAR), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_read_at_all_end(written, more, &status), MPI_SUCCESS);
    CHECK_EQUAL(moved(&status, MPI_CHAR), kBytes);
    expect(more, kBytes, other, "what another rank wrote");
    CHECK_EQUAL(MPI_File_read_at(lines, (MPI_Offset)other * sizeof ordered, more, sizeof ordered, MPI_CHAR, &status),
                MPI_SUCCESS);
    expect(more, sizeof ordered, other + 1000, "what another rank wrote in order");
    MPI_File_close(&written);
    MPI_File_close(&read);
    MPI_File_close(&lines);
    return finish();
}
