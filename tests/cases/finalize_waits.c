// Ranks that have reached MPI_Finalize while the last one still works are checkpointed inside it.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "finalize_waits");
    ready();
    if (rank == size - 1) wait_for_go();
    MPI_Finalize();
    return pass();
}
