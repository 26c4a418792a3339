// While a file is open through MPI-IO a checkpoint is declined; reading and writing work on.
#include <stdio.h>
#include <stdlib.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_file");
    MPI_File file;
    char path[4096], out[64], in[64];
    snprintf(path, sizeof path, "%s/mpi-file", getenv("SCKPT_CASE_DIR"));
    CHECK_EQUAL(MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file),
                MPI_SUCCESS);
    fill(out, sizeof out, rank);
    ready();
    wait_for_go();

    MPI_File_write_at_all(file, rank * sizeof out, out, sizeof out, MPI_CHAR, MPI_STATUS_IGNORE);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);
    int other = (rank + 1) % size;
    MPI_File_read_at(file, other * sizeof in, in, sizeof in, MPI_CHAR, MPI_STATUS_IGNORE);
    expect(in, sizeof in, other, "what another rank wrote");
    MPI_File_close(&file);
    return finish();
}
