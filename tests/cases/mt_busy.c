// Threads of a rank use MPI all the time, each in another way and with a communicator of its own; two wait for each other
// across ranks, one is in collectives, and short-lived ones come and go with calls of their own (MPI_THREAD_MULTIPLE).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

enum { kAsks, kAnswers, kReduces, kSpawns, kThreads, kTurns = 8 };
static MPI_Comm comms[kThreads], talk;
static pthread_t threads[kThreads];

static void *short_life(void *argument) {
    long out = *(long *)argument, in = -1;
    MPI_Sendrecv(&out, 1, MPI_LONG, (rank + 1) % size, 3, &in, 1, MPI_LONG, (rank + size - 1) % size, 3, comms[kSpawns],
                 MPI_STATUS_IGNORE);
    CHECK_EQUAL(in, out);
    return argument;
}

static void turn(int role, long number) {
    long in = -1, sum = 0;
    MPI_Status status;
    MPI_Request requests[2];
    int index;
    const int right = (rank + 1) % size;
    switch (role) {
        case kAsks: /* a synchronous question to the right, its answer among two receives */
            MPI_Irecv(&sum, 1, MPI_LONG, MPI_ANY_SOURCE, 99, talk, &requests[0]);
            MPI_Irecv(&in, 1, MPI_LONG, right, 2, talk, &requests[1]);
            MPI_Ssend(&number, 1, MPI_LONG, right, 1, talk);
            MPI_Waitany(2, requests, &index, &status);
            CHECK_EQUAL(index, 1);
            CHECK_EQUAL(in, number + 1);
            MPI_Cancel(&requests[0]);
            MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
            break;
        case kReduces:
            MPI_Allreduce(&number, &sum, 1, MPI_LONG, MPI_SUM, comms[role]);
            CHECK_EQUAL(sum, size * number);
            break;
        default: {
            pthread_t thread;
            CHECK_EQUAL(pthread_create(&thread, NULL, short_life, &number), 0);
            CHECK_EQUAL(pthread_join(thread, NULL), 0);
        }
    }
}

// Until the last question.
static void answer(void) {
    const int left = (rank + size - 1) % size;
    for (long number = 0, in = 0; in >= 0; ++number) {
        MPI_Status status;
        MPI_Probe(MPI_ANY_SOURCE, 1, talk, &status);
        CHECK_EQUAL(status.MPI_SOURCE, left);
        MPI_Recv(&in, 1, MPI_LONG, status.MPI_SOURCE, 1, talk, MPI_STATUS_IGNORE);
        if (in < 0) return;
        CHECK_EQUAL(in, number);
        const long out = in + 1;
        MPI_Send(&out, 1, MPI_LONG, status.MPI_SOURCE, 2, talk);
    }
}

static void *live(void *argument) {
    const int role = (int)(long)argument;
    if (role == kAnswers) {
        answer();
        return argument;
    }
    for (long round = 0; all_still_waiting(comms[role]); ++round)
        for (int i = 0; i < kTurns; ++i) turn(role, round * kTurns + i);
    const long last = -1;
    if (role == kAsks) MPI_Send(&last, 1, MPI_LONG, (rank + 1) % size, 1, talk);
    return argument;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("mt_busy");
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_dup(MPI_COMM_WORLD, &talk);
    for (long i = 0; i < kThreads; ++i) MPI_Comm_dup(MPI_COMM_WORLD, &comms[i]);
    for (long i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, live, (void *)i), 0);
    ready();
    for (int i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    return finish();
}
