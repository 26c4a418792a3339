// Persistent requests of all four send modes and a receive, not started at the cut, used several times after it.
#include <stdlib.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "persistent_inactive");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, out[3], in[3];
    MPI_Request requests[6];
    int bytes = 4 * (100 + MPI_BSEND_OVERHEAD);
    void *buffer = malloc(bytes);
    MPI_Buffer_attach(buffer, bytes);
    MPI_Send_init(&out[0], 1, MPI_INT, right, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Ssend_init(&out[1], 1, MPI_INT, right, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Bsend_init(&out[2], 1, MPI_INT, right, 2, MPI_COMM_WORLD, &requests[2]);
    for (int i = 0; i < 3; ++i) MPI_Recv_init(&in[i], 1, MPI_INT, left, i, MPI_COMM_WORLD, &requests[3 + i]);
    // Once before the cut: a request that has been used is inactive, too.
    for (int i = 0; i < 3; ++i) out[i] = i;
    MPI_Startall(6, requests);
    MPI_Waitall(6, requests, MPI_STATUSES_IGNORE);
    ready();
    wait_for_go();

    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 3; ++i) out[i] = 1000 * rank + 10 * round + i;
        for (int i = 3; i < 6; ++i) MPI_Start(&requests[i]);
        for (int i = 0; i < 3; ++i) MPI_Start(&requests[i]);
        MPI_Waitall(6, requests, MPI_STATUSES_IGNORE);
        for (int i = 0; i < 3; ++i) CHECK_EQUAL(in[i], 1000 * left + 10 * round + i);
    }
    for (int i = 0; i < 6; ++i) {
        CHECK(requests[i] != MPI_REQUEST_NULL);
        MPI_Request_free(&requests[i]);
        CHECK(requests[i] == MPI_REQUEST_NULL);
    }
    MPI_Buffer_detach(&buffer, &bytes);
    return finish();
}
