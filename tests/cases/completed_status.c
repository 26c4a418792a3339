// A request that has completed but has not been waited for keeps its status; so does one seen by Request_get_status.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "completed_status");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, done = 0, count;
    short out[30], in[2][40];
    MPI_Request receives[2], sends[2];
    MPI_Status status;
    fill(out, sizeof out, rank);
    for (int i = 0; i < 2; ++i) {
        MPI_Irecv(in[i], 40, MPI_SHORT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &receives[i]);
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_Isend(out, 10 + 20 * i, MPI_SHORT, right, 40 + i, MPI_COMM_WORLD, &sends[i]);
    }
    while (!done) MPI_Request_get_status(receives[0], &done, &status);
    ready();
    wait_for_go();

    for (int i = 0; i < 2; ++i) {
        CHECK(receives[i] != MPI_REQUEST_NULL);
        MPI_Wait(&receives[i], &status);
        MPI_Get_count(&status, MPI_SHORT, &count);
        CHECK_EQUAL(count, 10 + 20 * i);
        CHECK_EQUAL(status.MPI_SOURCE, left);
        CHECK_EQUAL(status.MPI_TAG, 40 + i);
        expect(in[i], count * sizeof(short), left, "the message received before the cut");
        MPI_Wait(&sends[i], MPI_STATUS_IGNORE);
        CHECK(sends[i] == MPI_REQUEST_NULL);
    }
    MPI_Wait(&receives[0], &status);
    CHECK_EQUAL(status.MPI_SOURCE, MPI_ANY_SOURCE);
    return finish();
}
