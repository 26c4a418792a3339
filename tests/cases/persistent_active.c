// A started persistent receive is pending at the cut; the persistent send that fulfils it is started after it.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "persistent_active");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, done;
    char out[500], in[500];
    MPI_Request receive, send;
    MPI_Status status;
    MPI_Recv_init(in, sizeof in, MPI_CHAR, MPI_ANY_SOURCE, 21, MPI_COMM_WORLD, &receive);
    MPI_Send_init(out, sizeof out, MPI_CHAR, right, 21, MPI_COMM_WORLD, &send);
    MPI_Start(&receive);
    ready();
    while (still_waiting()) {
        MPI_Test(&receive, &done, MPI_STATUS_IGNORE);
        if (done) fail("a receive completed before anything was sent");
        nap();
    }
    for (int round = 0; round < 3; ++round) {
        fill(out, sizeof out, 100 * rank + round);
        MPI_Start(&send);
        MPI_Wait(&receive, &status);
        CHECK_EQUAL(status.MPI_SOURCE, left);
        CHECK_EQUAL(status.MPI_TAG, 21);
        expect(in, sizeof in, 100 * left + round, "a message to a persistent receive");
        MPI_Wait(&send, MPI_STATUS_IGNORE);
        MPI_Start(&receive);
    }
    MPI_Cancel(&receive);
    MPI_Wait(&receive, MPI_STATUS_IGNORE);
    MPI_Request_free(&receive);
    MPI_Request_free(&send);
    return finish();
}
