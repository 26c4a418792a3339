// Frame of the hammer_ cases: threads use one service of libc without a pause, so that a checkpoint finds them anywhere
// in it and holding its locks, while the main thread communicates.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "testcase_mpi.h"

typedef struct Hammer {
    int number;
    atomic_long turns;
    pthread_t thread;
} Hammer;

static atomic_bool hammering = true;
static void (*hammer_turn)(Hammer *);

static void *hammer(void *argument) {
    Hammer *self = (Hammer *)argument;
    char name[16];
    snprintf(name, sizeof name, "app-%d", self->number);
    pthread_setname_np(pthread_self(), name);
    while (hammering) {
        hammer_turn(self);
        ++self->turns;
    }
    return self;
}

// Starts the threads, each of which calls `turn` over and over, and communicates until the runner says go.  Then every
// thread must still be getting on: one that came back from a checkpoint with a lost lock does not.
static inline void hammer_until_go(Hammer *threads, int count, void (*turn)(Hammer *)) {
    hammer_turn = turn;
    for (int i = 0; i < count; ++i) {
        threads[i].number = i;
        CHECK_EQUAL(pthread_create(&threads[i].thread, NULL, hammer, &threads[i]), 0);
    }
    for (int i = 0; i < count; ++i)
        while (threads[i].turns == 0) nap();
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        long out = round * 1000 + rank, in = -1, sum = 0;
        MPI_Sendrecv(&out, 1, MPI_LONG, right, 1, &in, 1, MPI_LONG, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(in, round * 1000 + left);
        MPI_Allreduce(&out, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(sum, size * round * 1000 + size * (size - 1) / 2);
        if (round % 16 == 0) nap();
    }
    for (int i = 0; i < count; ++i) {
        const long before = threads[i].turns;
        while (threads[i].turns == before) nap();
    }
    hammering = false;
    for (int i = 0; i < count; ++i) {
        void *result = NULL;
        CHECK_EQUAL(pthread_join(threads[i].thread, &result), 0);
        CHECK(result == &threads[i]);
    }
}
