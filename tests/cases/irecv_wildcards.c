// Pending receives with different wildcards, posted in an order that decides which message goes where.
#include "testcase_mpi.h"

enum { kReceives = 5 };

int main(int argc, char **argv) {
    start(&argc, &argv, "irecv_wildcards");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, got[kReceives];
    MPI_Request requests[kReceives];
    MPI_Irecv(&got[0], 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(&got[1], 1, MPI_INT, left, 3, MPI_COMM_WORLD, &requests[1]);
    MPI_Irecv(&got[2], 1, MPI_INT, MPI_ANY_SOURCE, 3, MPI_COMM_WORLD, &requests[2]);
    MPI_Irecv(&got[3], 1, MPI_INT, left, MPI_ANY_TAG, MPI_COMM_WORLD, &requests[3]);
    MPI_Irecv(&got[4], 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &requests[4]);
    ready();
    wait_for_go();

    // Tags in the order sent, and the receive that the rules of matching give each to.
    static const int tags[kReceives] = {3, 4, 3, 3, 8}, takes[kReceives] = {0, 3, 1, 2, 4};
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < kReceives; ++i) {
        int value = 100 * rank + i;
        MPI_Send(&value, 1, MPI_INT, right, tags[i], MPI_COMM_WORLD);
    }
    MPI_Status statuses[kReceives];
    MPI_Waitall(kReceives, requests, statuses);
    for (int i = 0; i < kReceives; ++i) {
        CHECK_EQUAL(got[takes[i]], 100 * left + i);
        CHECK_EQUAL(statuses[takes[i]].MPI_SOURCE, left);
        CHECK_EQUAL(statuses[takes[i]].MPI_TAG, tags[i]);
        CHECK(requests[i] == MPI_REQUEST_NULL);
    }
    return finish();
}
