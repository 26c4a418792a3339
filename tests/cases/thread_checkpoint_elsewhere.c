// A thread that is not the initial one takes the checkpoint, since it alone calls MPI, and ends after the restart: the
// process is still that of its initial thread (MPI_THREAD_MULTIPLE; pthreads(7), proc(5)).
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

static void *talk(void *argument) {
    long rounds = 0;
    while (all_still_waiting(MPI_COMM_WORLD)) {
        long sum = 0;
        ++rounds;
        MPI_Allreduce(&rounds, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(sum, size * rounds);
    }
    return argument;
}

int main(int argc, char **argv) {
    int provided;
    pthread_t thread;
    void *result;
    int process, initial;
    char target[4096];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("thread_checkpoint_elsewhere");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK_EQUAL(pthread_create(&thread, NULL, talk, &rank), 0);
    ready();
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK(result == &rank);
    /* what the kernel says, not what the program remembers: PID/task/TID */
    const ssize_t length = readlink("/proc/thread-self", target, sizeof target - 1);
    CHECK(length > 0);
    target[length] = 0;
    CHECK_EQUAL(sscanf(target, "%d/task/%d", &process, &initial), 2);
    CHECK_EQUAL(initial, process);
    return finish();
}
