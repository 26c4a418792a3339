// While processes that MPI_Comm_spawn has started are connected a checkpoint is declined; they can be talked to afterwards.
#include "testcase_mpi.h"

static int child(MPI_Comm parent) {
    int number;
    MPI_Bcast(&number, 1, MPI_INT, 0, parent);
    ++number;
    MPI_Gather(&number, 1, MPI_INT, NULL, 0, MPI_INT, 0, parent);
    MPI_Comm_disconnect(&parent);
    MPI_Finalize();
    return 0;
}

int main(int argc, char **argv) {
    MPI_Comm parent, children;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL) return child(parent);
    begin("refuse_spawn");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int errors[2], answers[2] = {0, 0}, number = 41;
    MPI_Comm_spawn(argv[0], MPI_ARGV_NULL, 2, MPI_INFO_NULL, 0, MPI_COMM_WORLD, &children, errors);
    CHECK(errors[0] == MPI_SUCCESS && errors[1] == MPI_SUCCESS);
    ready();
    wait_for_go();

    MPI_Bcast(&number, 1, MPI_INT, rank == 0 ? MPI_ROOT : MPI_PROC_NULL, children);
    MPI_Gather(NULL, 0, MPI_INT, answers, 1, MPI_INT, rank == 0 ? MPI_ROOT : MPI_PROC_NULL, children);
    CHECK(rank != 0 || (answers[0] == 42 && answers[1] == 42));
    MPI_Comm_disconnect(&children);
    return finish();
}
