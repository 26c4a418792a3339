// While a persistent collective lives a checkpoint is declined; it works on.
#include "testcase_mpi.h"
// Relies on mpi.h.
#include <mpi-ext.h>

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_persistent_collective");
    MPI_Request request;
    int sum = -1;
    MPIX_Allreduce_init(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
    ready();
    wait_for_go();

    MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK_EQUAL(sum, size * (size - 1) / 2);
    MPI_Request_free(&request);
    return finish();
}
