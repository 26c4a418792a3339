// Messages of one sender are received by MPI_ANY_SOURCE and MPI_ANY_TAG in the order sent, before and after the cut
// mixed.
#include "testcase_mpi.h"

enum { kMessages = 30 };

int main(int argc, char **argv) {
    start(&argc, &argv, "wildcard_order");
    int next[64] = {0}, values[2 * kMessages];
    MPI_Request requests[2 * kMessages];
    CHECK(size <= 64);
    if (rank != 0) {
        for (int i = 0; i < kMessages; ++i) {
            values[i] = i;
            MPI_Isend(&values[i], 1, MPI_INT, 0, i % 5, MPI_COMM_WORLD, &requests[i]);
        }
    }
    ready();
    wait_for_go();

    if (rank != 0) {
        for (int i = kMessages; i < 2 * kMessages; ++i) {
            values[i] = i;
            MPI_Isend(&values[i], 1, MPI_INT, 0, i % 5, MPI_COMM_WORLD, &requests[i]);
        }
        MPI_Waitall(2 * kMessages, requests, MPI_STATUSES_IGNORE);
    } else {
        for (int i = 0; i < 2 * kMessages * (size - 1); ++i) {
            int got;
            MPI_Status status;
            MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
            CHECK_EQUAL(got, next[status.MPI_SOURCE]);
            CHECK_EQUAL(status.MPI_TAG, got % 5);
            ++next[status.MPI_SOURCE];
        }
    }
    return finish();
}
