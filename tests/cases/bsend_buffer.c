// An attached buffer holds messages of MPI_Bsend that nobody has received; detach after the cut gives the buffer back.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kMessages = 10, kBytes = 20000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "bsend_buffer");
    int left = (rank + size - 1) % size, bytes = kMessages * (kBytes + MPI_BSEND_OVERHEAD), detached;
    char *buffer = malloc(bytes), data[kBytes];
    void *back;
    MPI_Buffer_attach(buffer, bytes);
    for (int i = 0; i < kMessages / 2; ++i) {
        fill(data, kBytes, 100 * rank + i);
        MPI_Bsend(data, kBytes, MPI_CHAR, (rank + 1) % size, 1, MPI_COMM_WORLD);
    }
    ready();
    wait_for_go();

    for (int i = kMessages / 2; i < kMessages; ++i) {
        fill(data, kBytes, 100 * rank + i);
        MPI_Bsend(data, kBytes, MPI_CHAR, (rank + 1) % size, 1, MPI_COMM_WORLD);
    }
    for (int i = 0; i < kMessages; ++i) {
        MPI_Recv(data, kBytes, MPI_CHAR, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        expect(data, kBytes, 100 * left + i, "a buffered message");
    }
    MPI_Buffer_detach(&back, &detached);
    CHECK(back == buffer);
    CHECK_EQUAL(detached, bytes);
    free(buffer);
    return finish();
}
