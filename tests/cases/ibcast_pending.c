// Several non-blocking broadcasts have been started by all and waited for by none, among them one of 1 MiB.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kCount = 4 };

int main(int argc, char **argv) {
    start(&argc, &argv, "ibcast_pending");
    static const int sizes[kCount] = {1, 100, 30000, 1 << 20};
    char *data[kCount];
    MPI_Request requests[kCount];
    for (int i = 0; i < kCount; ++i) {
        data[i] = calloc(1, sizes[i]);
        if (rank == i % size) fill(data[i], sizes[i], i);
        MPI_Ibcast(data[i], sizes[i], MPI_CHAR, i % size, MPI_COMM_WORLD, &requests[i]);
    }
    ready();
    wait_for_go();

    for (int i = kCount - 1; i >= 0; --i) {
        MPI_Wait(&requests[i], MPI_STATUS_IGNORE);
        expect(data[i], sizes[i], i, "what was broadcast");
    }
    return finish();
}
