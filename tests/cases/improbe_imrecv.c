// MPI_Improbe takes one message, of rendezvous size, in hand; MPI_Imrecv starts to receive it after the cut.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kBytes = 300000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "improbe_imrecv");
    int left = (rank + size - 1) % size, found = 0;
    char *sent = malloc(kBytes), *got = malloc(kBytes);
    MPI_Request requests[2];
    MPI_Message message, none;
    fill(sent, kBytes, rank);
    MPI_Isend(sent, kBytes, MPI_CHAR, (rank + 1) % size, 6, MPI_COMM_WORLD, &requests[0]);
    while (!found) MPI_Improbe(MPI_ANY_SOURCE, 6, MPI_COMM_WORLD, &found, &message, MPI_STATUS_IGNORE);
    ready();
    while (still_waiting()) {
        MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &none, MPI_STATUS_IGNORE);
        if (found) fail("the message in hand was found a second time");
        nap();
    }
    MPI_Imrecv(got, kBytes, MPI_CHAR, &message, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    expect(got, kBytes, left, "the message in hand");
    return finish();
}
