// Every completion call in turn (Wait, Waitany, Waitsome, Waitall and their Test forms) on shuffled requests, busy.
#include "testcase_mpi.h"

enum { kRequests = 12 };

static void complete(MPI_Request *requests, int how) {
    int indices[kRequests], count = 0, index, flag = 0, left = kRequests;
    MPI_Status statuses[kRequests];
    while (left > 0) {
        switch (how) {
            case 0:
                MPI_Waitany(kRequests, requests, &index, MPI_STATUS_IGNORE);
                CHECK(index != MPI_UNDEFINED);
                --left;
                break;
            case 1:
                MPI_Waitsome(kRequests, requests, &count, indices, statuses);
                CHECK(count > 0);
                left -= count;
                break;
            case 2:
                MPI_Testany(kRequests, requests, &index, &flag, MPI_STATUS_IGNORE);
                if (flag) --left;
                break;
            case 3:
                MPI_Testsome(kRequests, requests, &count, indices, statuses);
                left -= count;
                break;
            case 4:
                MPI_Testall(kRequests, requests, &flag, statuses);
                if (flag) left = 0;
                break;
            case 5:
                for (int i = 0; i < kRequests; ++i) {
                    if (requests[i] == MPI_REQUEST_NULL) continue;
                    MPI_Test(&requests[i], &flag, &statuses[i]);
                    if (flag) --left;
                }
                break;
            default:
                MPI_Waitall(kRequests, requests, statuses);
                left = 0;
        }
    }
    for (int i = 0; i < kRequests; ++i) CHECK(requests[i] == MPI_REQUEST_NULL);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "wait_mixture");
    long sent[kRequests / 2], got[kRequests / 2];
    MPI_Request requests[kRequests];
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        for (int i = 0; i < kRequests / 2; ++i) {
            int peer = mix(round * 8 + i) % size;  // shift by the same distance in all ranks
            sent[i] = round * 1000 + 10 * i + rank;
            MPI_Isend(&sent[i], 1, MPI_LONG, (rank + peer) % size, i, MPI_COMM_WORLD,
                      &requests[(2 * i + round) % kRequests]);
            MPI_Irecv(&got[i], 1, MPI_LONG, (rank + size - peer) % size, i, MPI_COMM_WORLD,
                      &requests[(2 * i + 1 + round) % kRequests]);
        }
        complete(requests, (round + rank) % 7);
        for (int i = 0; i < kRequests / 2; ++i) {
            int from = (rank + size - (int)(mix(round * 8 + i) % size)) % size;
            CHECK_EQUAL(got[i], round * 1000 + 10 * i + from);
        }
    }
    return finish();
}
