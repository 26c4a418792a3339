// MPI_MODE_SEQUENTIAL (MPI-3.1, 13.2.1): a stream with a shared pointer and no other, written in order before and
// after.
#include "mpi_file.h"

enum { kBytes = 500 };

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_sequential");
    char out[kBytes];
    MPI_File file = open_shared(MPI_COMM_WORLD, "stream", MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_SEQUENTIAL);
    for (int i = 0; i < 3; ++i) {
        fill(out, kBytes, rank * 10 + i);
        CHECK_EQUAL(MPI_File_write_ordered(file, out, kBytes, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    ready();
    wait_for_go();

    for (int i = 3; i < 6; ++i) {
        fill(out, kBytes, rank * 10 + i);
        CHECK_EQUAL(MPI_File_write_ordered(file, out, kBytes, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    int amode = 0;
    CHECK_EQUAL(MPI_File_get_amode(file, &amode), MPI_SUCCESS);
    CHECK_EQUAL(amode, MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_SEQUENTIAL);
    MPI_File_close(&file);
    MPI_Barrier(MPI_COMM_WORLD);
    file = open_shared(MPI_COMM_WORLD, "stream", MPI_MODE_RDONLY);
    CHECK_EQUAL(file_size(file), 6ll * size * kBytes);
    for (int i = 0; i < 6; ++i) {
        MPI_File_read_at(file, ((MPI_Offset)i * size + rank) * kBytes, out, kBytes, MPI_CHAR, MPI_STATUS_IGNORE);
        expect(out, kBytes, rank * 10 + i, "what was written in order");
    }
    MPI_File_close(&file);
    return finish();
}
