// While a connection made by MPI_Comm_accept and MPI_Comm_connect lives a checkpoint is declined; it works on, and so
// does what is made from it.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_connection");
    char port[MPI_MAX_PORT_NAME] = "";
    MPI_Comm half, inter, merged;
    int side = rank % 2, got = -1, is_inter;
    MPI_Comm_split(MPI_COMM_WORLD, side, rank, &half);
    if (rank == 0) MPI_Open_port(MPI_INFO_NULL, port);
    MPI_Bcast(port, sizeof port, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (side == 0)
        MPI_Comm_accept(port, MPI_INFO_NULL, 0, half, &inter);
    else
        MPI_Comm_connect(port, MPI_INFO_NULL, 0, half, &inter);
    if (rank == 0) MPI_Close_port(port);
    MPI_Intercomm_merge(inter, side, &merged);
    MPI_Comm_test_inter(inter, &is_inter);
    CHECK(is_inter);
    MPI_Comm_disconnect(&inter);
    ready();
    wait_for_go();

    int mine, count;
    check_comm(merged, size);
    MPI_Comm_rank(merged, &mine);
    MPI_Comm_size(merged, &count);
    MPI_Sendrecv(&mine, 1, MPI_INT, (mine + 1) % count, 1, &got, 1, MPI_INT, (mine + count - 1) % count, 1, merged,
                 MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, (mine + count - 1) % count);
    return finish();
}
