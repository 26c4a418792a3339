// Ranks whose main thread ends by pthread_exit(3) while other threads call MPI (MPI_THREAD_MULTIPLE): after it has
// initialised MPI, or before anybody has ("early").  MPI-3.1, 8.7 wants MPI_Finalize in the thread that has initialised
// MPI; Open MPI takes it from another as well.
#define _GNU_SOURCE
#include <pthread.h>

#include "main_ends.h"
#include "testcase_mpi.h"

static void begin_mpi(int *argc, char ***argv) {
    int provided;
    MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided);
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    begin("main_exits_mpi");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
}

static void *receive(void *comm) {
    long number = 0, expected = 0;
    pthread_setname_np(pthread_self(), "app-receive");
    for (; number >= 0; ++expected) {
        MPI_Recv(&number, 1, MPI_LONG, (rank + size - 1) % size, 3, *(MPI_Comm *)comm, MPI_STATUS_IGNORE);
        CHECK(number == expected || number == -1);
    }
    return NULL;
}

static void *talk(void *early) {
    await_end_of_main();
    if (early) begin_mpi(NULL, NULL);
    pthread_setname_np(pthread_self(), "app-talk");
    MPI_Comm comm;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    pthread_t receiver;
    CHECK_EQUAL(pthread_create(&receiver, NULL, receive, &comm), 0);
    ready();
    long rounds = 0;
    while (all_still_waiting(MPI_COMM_WORLD)) {
        long sum = 0;
        MPI_Send(&rounds, 1, MPI_LONG, (rank + 1) % size, 3, comm);
        ++rounds;
        MPI_Allreduce(&rounds, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(sum, size * rounds);
    }
    const long last = -1;
    MPI_Send(&last, 1, MPI_LONG, (rank + 1) % size, 3, comm);
    CHECK_EQUAL(pthread_join(receiver, NULL), 0);
    await_end_of_main();
    MPI_Comm_free(&comm);
    finish();
    return NULL;
}

int main(int argc, char **argv) {
    const bool early = argc > 1;
    pthread_t thread;
    if (!early) begin_mpi(&argc, &argv);
    CHECK_EQUAL(pthread_create(&thread, NULL, talk, early ? &thread : NULL), 0);
    pthread_exit(NULL);
}
