// MPI_Comm_create with a group that leaves rank 0 out (or not, where there is only one).
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_create");
    MPI_Group world, some;
    MPI_Comm comm;
    int zero = 0;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    if (size > 1)
        MPI_Group_excl(world, 1, &zero, &some);
    else
        MPI_Group_incl(world, 1, &zero, &some);
    MPI_Comm_create(MPI_COMM_WORLD, some, &comm);
    MPI_Group_free(&some);
    MPI_Group_free(&world);
    ready();
    wait_for_go();

    if (size > 1 && rank == 0) {
        CHECK(comm == MPI_COMM_NULL);
    } else {
        check_comm(comm, size > 1 ? size - 1 : 1);
        int mine;
        MPI_Comm_rank(comm, &mine);
        CHECK_EQUAL(mine, size > 1 ? rank - 1 : 0);
        MPI_Comm_free(&comm);
    }
    return finish();
}
