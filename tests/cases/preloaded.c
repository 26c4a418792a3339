// Another library than ours is preloaded, and stands before functions that we stand before as well: it sees each call
// once, before and after a restore.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "testcase_mpi.h"

static long *counter(const char *name) {
    long *found = dlsym(RTLD_DEFAULT, name);
    if (!found) fail("%s is not there: the library is not preloaded", name);
    return found;
}

static void send_round(int value) {
    int got = -1, previous = (rank + size - 1) % size;
    MPI_Request request;
    MPI_Irecv(&got, 1, MPI_INT, previous, 1, MPI_COMM_WORLD, &request);
    CHECK_EQUAL(MPI_Send(&value, 1, MPI_INT, (rank + 1) % size, 1, MPI_COMM_WORLD), MPI_SUCCESS);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, value);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "preloaded");
    long *writes = counter("preloaded_writes"), *sends = counter("preloaded_sends");
    int fd = open(case_path("data"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    const long before = *writes;
    CHECK_EQUAL(write(fd, "12345", 5), 5);
    CHECK_EQUAL(*writes, before + 1);
    send_round(7);
    CHECK_EQUAL(*sends, 1);
    ready();
    wait_for_go();

    const long now = *writes;
    CHECK_EQUAL(write(fd, "678", 3), 3);
    CHECK_EQUAL(*writes, now + 1);
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 8);
    send_round(8);
    CHECK_EQUAL(*sends, 2);
    return finish();
}
