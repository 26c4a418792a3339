// A halo exchange by MPI_Startall, over and over: an integer heat equation in a ring, verified by a serial copy.
#include <string.h>

#include "testcase_mpi.h"

enum { kCells = 32, kMost = 64 };

static unsigned step(unsigned left, unsigned here, unsigned right) { return left * 3 + here * 5 + right * 7 + 1; }

int main(int argc, char **argv) {
    start(&argc, &argv, "startall_busy");
    CHECK(size <= kMost);
    static unsigned mine[kCells + 2], next[kCells + 2], whole[kMost * kCells], whole_next[kMost * kCells];
    int total = size * kCells;
    for (int i = 0; i < total; ++i) whole[i] = (unsigned)mix(i);
    memcpy(mine + 1, whole + rank * kCells, kCells * sizeof *mine);
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    MPI_Request requests[4];
    MPI_Recv_init(&mine[0], 1, MPI_UNSIGNED, left, 0, MPI_COMM_WORLD, &requests[0]);
    MPI_Recv_init(&mine[kCells + 1], 1, MPI_UNSIGNED, right, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Send_init(&mine[kCells], 1, MPI_UNSIGNED, right, 0, MPI_COMM_WORLD, &requests[2]);
    MPI_Send_init(&mine[1], 1, MPI_UNSIGNED, left, 1, MPI_COMM_WORLD, &requests[3]);
    ready();
    while (all_still_waiting(MPI_COMM_WORLD)) {
        MPI_Startall(4, requests);
        MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
        for (int i = 1; i <= kCells; ++i) next[i] = step(mine[i - 1], mine[i], mine[i + 1]);
        memcpy(mine, next, sizeof mine);
        for (int i = 0; i < total; ++i)
            whole_next[i] = step(whole[(i + total - 1) % total], whole[i], whole[(i + 1) % total]);
        memcpy(whole, whole_next, sizeof whole);
        CHECK(memcmp(mine + 1, whole + rank * kCells, kCells * sizeof *mine) == 0);
    }
    for (int i = 0; i < 4; ++i) MPI_Request_free(&requests[i]);
    return finish();
}
