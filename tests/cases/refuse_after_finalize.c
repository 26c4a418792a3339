// After MPI_Finalize a checkpoint is declined, and that does not matter to the program.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_after_finalize");
    check_comm(MPI_COMM_WORLD, size);
    MPI_Finalize();
    ready();
    wait_for_go();
    return pass();
}
