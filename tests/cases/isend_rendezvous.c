// Messages of 1 MiB, too long to leave before they are received, are pending sends at the cut.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kBytes = 1 << 20, kMessages = 3 };

int main(int argc, char **argv) {
    start(&argc, &argv, "isend_rendezvous");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    char *sent[kMessages], *got = malloc(kBytes);
    MPI_Request requests[kMessages];
    for (int i = 0; i < kMessages; ++i) {
        sent[i] = malloc(kBytes);
        fill(sent[i], kBytes, 10 * rank + i);
        MPI_Isend(sent[i], kBytes, MPI_CHAR, right, i, MPI_COMM_WORLD, &requests[i]);
    }
    ready();
    wait_for_go();

    for (int i = kMessages - 1; i >= 0; --i) {
        MPI_Recv(got, kBytes, MPI_CHAR, left, i, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        expect(got, kBytes, 10 * left + i, "a message of 1 MiB");
    }
    MPI_Waitall(kMessages, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < kMessages; ++i) expect(sent[i], kBytes, 10 * rank + i, "the send buffer");
    return finish();
}
