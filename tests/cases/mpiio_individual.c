// MPI-IO with individual pointers (MPI-3.1, 13.4.3): each rank goes on writing and reading where it was, in a file
// opened by a name that is relative to a directory left since.  Mode, hints, atomicity and error handler are what they
// were.
#include <string.h>
#include <unistd.h>

#include "mpi_file.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_individual");
    enum { kBlock = 1000 };
    char block[kBlock], value[64];
    char here[PATH_MAX];
    MPI_File file, own;
    MPI_Info info, used;
    CHECK(getcwd(here, sizeof here) != NULL);
    CHECK_EQUAL(chdir(getenv("SCKPT_CASE_DIR")), 0);
    MPI_Info_create(&info);
    MPI_Info_set(info, "cb_buffer_size", "1048576");
    int amode = MPI_MODE_CREATE | MPI_MODE_RDWR;
    CHECK_EQUAL(MPI_File_open(MPI_COMM_WORLD, "individual", amode, info, &file), MPI_SUCCESS);
    MPI_Info_free(&info);
    CHECK_EQUAL(chdir(here), 0);
    own = open_shared(MPI_COMM_SELF,
                      rank == 0   ? "own.0"
                      : rank == 1 ? "own.1"
                      : rank == 2 ? "own.2"
                                  : "own.3",
                      MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE);
    CHECK_EQUAL(MPI_File_set_atomicity(file, 1), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_set_errhandler(file, MPI_ERRORS_RETURN), MPI_SUCCESS);

    // The ranks' parts: 10 blocks each, of which the first half is written before the cut.
    MPI_File_seek(file, (MPI_Offset)rank * 10 * kBlock, MPI_SEEK_SET);
    for (int i = 0; i < 5; ++i) {
        fill(block, kBlock, rank * 100 + i);
        CHECK_EQUAL(MPI_File_write(file, block, kBlock, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
        CHECK_EQUAL(MPI_File_write(own, block, kBlock, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    ready();
    wait_for_go();

    CHECK_EQUAL(position(file), (rank * 10 + 5) * kBlock);
    CHECK_EQUAL(position(own), 5 * kBlock);
    int got = 0, atomic = 0, found = 0;
    CHECK_EQUAL(MPI_File_get_amode(file, &got), MPI_SUCCESS);
    CHECK_EQUAL(got, amode);
    CHECK_EQUAL(MPI_File_get_atomicity(file, &atomic), MPI_SUCCESS);
    CHECK_EQUAL(atomic, 1);
    CHECK_EQUAL(MPI_File_get_info(file, &used), MPI_SUCCESS);
    MPI_Info_get(used, "cb_buffer_size", sizeof value - 1, value, &found);
    CHECK(found && strcmp(value, "1048576") == 0);
    MPI_Info_free(&used);
    CHECK(MPI_File_read(file, block, -1, MPI_CHAR, MPI_STATUS_IGNORE) != MPI_SUCCESS);
    for (int i = 5; i < 10; ++i) {
        fill(block, kBlock, rank * 100 + i);
        CHECK_EQUAL(MPI_File_write(file, block, kBlock, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);
    CHECK_EQUAL(file_size(file), size * 10 * kBlock);
    int other = (rank + 1) % size;
    MPI_File_seek(file, (MPI_Offset)other * 10 * kBlock, MPI_SEEK_SET);
    for (int i = 0; i < 10; ++i) {
        MPI_Status status;
        CHECK_EQUAL(MPI_File_read(file, block, kBlock, MPI_CHAR, &status), MPI_SUCCESS);
        CHECK_EQUAL(moved(&status, MPI_CHAR), kBlock);
        expect(block, kBlock, other * 100 + i, "what another rank wrote");
    }
    CHECK_EQUAL(file_size(own), 5 * kBlock);
    const char *path = shared_path(rank == 0 ? "own.0" : rank == 1 ? "own.1" : rank == 2 ? "own.2" : "own.3");
    CHECK_EQUAL(access(path, F_OK), 0);
    MPI_File_close(&own);
    CHECK(access(path, F_OK) != 0);
    CHECK(own == MPI_FILE_NULL);
    MPI_File_close(&file);
    return finish();
}
