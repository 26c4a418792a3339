// Pipes within the process: unread bytes stay in them, a thread blocked in read stays there, flags are kept.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "testcase_mpi.h"

static int wake[2];

static void *reader(void *unused) {
    char byte;
    (void)unused;
    pthread_setname_np(pthread_self(), "app-reader");
    CHECK_EQUAL(read(wake[0], &byte, 1), 1);
    CHECK_EQUAL(byte, 'w');
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "pipe_inside");
    int full[2], half[2];
    char data[3000], got[3000];
    pthread_t thread;
    CHECK(pipe2(full, O_NONBLOCK | O_CLOEXEC) == 0 && pipe(wake) == 0 && pipe(half) == 0);
    fill(data, sizeof data, rank);
    CHECK_EQUAL(write(full[1], data, sizeof data), sizeof data);
    CHECK_EQUAL(read(full[0], got, 1000), 1000);
    CHECK_EQUAL(write(half[1], data, 10), 10);
    close(half[1]);
    CHECK_EQUAL(pthread_create(&thread, NULL, reader, NULL), 0);
    ready();
    wait_for_go();

    CHECK_EQUAL(read(full[0], got + 1000, sizeof got - 1000), 2000);
    expect(got, sizeof got, rank, "what was in the pipe");
    CHECK_EQUAL(read(full[0], got, 1), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(fcntl(full[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(read(half[0], got, 100), 10);
    CHECK_EQUAL(read(half[0], got, 100), 0);
    CHECK_EQUAL(write(wake[1], "w", 1), 1);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return finish();
}
