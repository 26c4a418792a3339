// A synchronous send that is pending at the cut is not complete before the message is received.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "issend_pending");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, sent = 31 * rank, got = -1, done = 0;
    MPI_Request request;
    MPI_Issend(&sent, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &request);
    ready();
    while (still_waiting()) {
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (done) fail("the synchronous send completed although nobody has received it");
        nap();
    }
    MPI_Recv(&got, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, 31 * left);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return finish();
}
