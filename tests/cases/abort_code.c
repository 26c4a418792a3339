// MPI_Abort after a checkpoint, and in a restored job: the exit code is the one given, and nothing is left behind.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "abort_code");
    MPI_Comm copy;
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    ready();
    wait_for_go();

    check_comm(copy, size);
    pass();
    MPI_Barrier(copy);  // all have passed before one ends them
    if (rank == size - 1) MPI_Abort(copy, 7);
    MPI_Barrier(copy);
    return 1;
}
