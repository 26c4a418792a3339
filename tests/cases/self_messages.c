// A rank's messages to itself: one in flight, one receive pending, in MPI_COMM_SELF and in the world.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "self_messages");
    int out[2] = {rank + 1, rank + 2}, in[2] = {-1, -1};
    MPI_Request sends[2], receive;
    MPI_Isend(&out[0], 1, MPI_INT, 0, 1, MPI_COMM_SELF, &sends[0]);
    MPI_Irecv(&in[1], 1, MPI_INT, rank, 2, MPI_COMM_WORLD, &receive);
    ready();
    wait_for_go();

    MPI_Recv(&in[0], 1, MPI_INT, 0, 1, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    MPI_Isend(&out[1], 1, MPI_INT, rank, 2, MPI_COMM_WORLD, &sends[1]);
    MPI_Wait(&receive, MPI_STATUS_IGNORE);
    MPI_Waitall(2, sends, MPI_STATUSES_IGNORE);
    CHECK_EQUAL(in[0], rank + 1);
    CHECK_EQUAL(in[1], rank + 2);
    return finish();
}
