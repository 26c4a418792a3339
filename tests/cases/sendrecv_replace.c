// MPI_Sendrecv_replace hands a block around the world, over and over.
#include "testcase_mpi.h"

enum { kBytes = 70000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "sendrecv_replace");
    static char block[kBytes];
    int owner = rank;
    fill(block, kBytes, owner);
    ready();
    while (all_still_waiting(MPI_COMM_WORLD)) {
        MPI_Status status;
        MPI_Sendrecv_replace(block, kBytes, MPI_CHAR, (rank + 1) % size, 4, (rank + size - 1) % size, 4, MPI_COMM_WORLD,
                             &status);
        owner = (owner + size - 1) % size;
        CHECK_EQUAL(status.MPI_SOURCE, (rank + size - 1) % size);
        expect(block, kBytes, owner, "the block that goes around");
    }
    return finish();
}
