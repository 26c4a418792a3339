// While an intercommunicator lives a checkpoint is declined; the intercommunicator itself works on.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_intercomm");
    MPI_Comm half, inter;
    int side = rank % 2, remote, got = -1, is_inter;
    MPI_Comm_split(MPI_COMM_WORLD, side, rank, &half);
    MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - side, 3, &inter);
    ready();
    wait_for_go();

    MPI_Comm_test_inter(inter, &is_inter);
    CHECK(is_inter);
    MPI_Comm_remote_size(inter, &remote);
    CHECK_EQUAL(remote, (size + side) / 2);
    MPI_Sendrecv(&rank, 1, MPI_INT, rank / 2, 1, &got, 1, MPI_INT, rank / 2, 1, inter, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, rank ^ 1);
    MPI_Comm_free(&inter);
    return finish();
}
