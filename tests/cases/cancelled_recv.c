// One receive is cancelled and not yet waited for at the cut, one is cancelled after it, one is freed while active.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "cancelled_recv");
    int never = -1, cancelled, got = -1, left = (rank + size - 1) % size;
    MPI_Request before, after;
    MPI_Status status;
    MPI_Irecv(&never, 1, MPI_INT, MPI_ANY_SOURCE, 90, MPI_COMM_WORLD, &before);
    MPI_Irecv(&never, 1, MPI_INT, MPI_ANY_SOURCE, 91, MPI_COMM_WORLD, &after);
    MPI_Cancel(&before);
    ready();
    wait_for_go();

    MPI_Wait(&before, &status);
    MPI_Test_cancelled(&status, &cancelled);
    CHECK(cancelled);
    MPI_Cancel(&after);
    MPI_Wait(&after, &status);
    MPI_Test_cancelled(&status, &cancelled);
    CHECK(cancelled);
    // Nobody takes the messages that the cancelled receives would have matched.
    for (int tag = 90; tag <= 91; ++tag) {
        MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, tag, &got, 1, MPI_INT, left, tag, MPI_COMM_WORLD, &status);
        CHECK_EQUAL(got, left);
        MPI_Test_cancelled(&status, &cancelled);
        CHECK(!cancelled);
    }
    CHECK_EQUAL(never, -1);
    return finish();
}
