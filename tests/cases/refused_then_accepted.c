// After the object that forbade it is gone nothing of it remains: a checkpoint is possible.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refused_then_accepted");
    MPI_Comm half, inter, merged;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - rank % 2, 3, &inter);
    MPI_Intercomm_merge(inter, rank % 2, &merged);
    MPI_Comm_free(&inter);
    ready();
    wait_for_go();

    int position;
    check_comm(merged, size);
    MPI_Comm_rank(merged, &position);
    CHECK_EQUAL(position, rank % 2 ? (size + 1) / 2 + rank / 2 : rank / 2);
    return finish();
}
