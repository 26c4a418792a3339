// Messages of many sizes, from 0 bytes to 256 KiB, in two communicators, all unreceived at the cut.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kSizes = 20 };

int main(int argc, char **argv) {
    start(&argc, &argv, "messages_in_flight");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    MPI_Comm comms[2] = {MPI_COMM_WORLD};
    MPI_Comm_dup(MPI_COMM_WORLD, &comms[1]);
    char *sent[2][kSizes], *got = malloc(1 << 18);
    MPI_Request requests[2][kSizes];
    for (int c = 0; c < 2; ++c) {
        for (int i = 0; i < kSizes; ++i) {
            int bytes = i == 0 ? 0 : (1 << (i - 1)) + (i == kSizes - 1 ? 0 : i % 3);
            sent[c][i] = malloc(bytes + 1);
            fill(sent[c][i], bytes, rank * 100 + 2 * i + c);
            MPI_Isend(sent[c][i], bytes, MPI_CHAR, right, 1, comms[c], &requests[c][i]);
        }
    }
    ready();
    wait_for_go();

    for (int c = 1; c >= 0; --c) {
        for (int i = 0; i < kSizes; ++i) {
            MPI_Status status;
            int count, bytes = i == 0 ? 0 : (1 << (i - 1)) + (i == kSizes - 1 ? 0 : i % 3);
            MPI_Recv(got, 1 << 18, MPI_CHAR, left, 1, comms[c], &status);
            MPI_Get_count(&status, MPI_CHAR, &count);
            CHECK_EQUAL(count, bytes);
            expect(got, count, left * 100 + 2 * i + c, "a message in flight");
        }
        MPI_Waitall(kSizes, requests[c], MPI_STATUSES_IGNORE);
    }
    return finish();
}
