// Threads without MPI: blocked in a mutex, in a condition, in a barrier and computing; robust against the cut anywhere.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "testcase.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long produced, consumed, mallocs;

static void *produce(void *unused) {
    pthread_setname_np(pthread_self(), "app-produce");
    for (bool more = true; more;) {
        more = still_waiting();
        pthread_mutex_lock(&mutex);
        produced = more ? produced + 1 : -produced - 1;
        pthread_cond_broadcast(&condition);
        while (more && consumed < produced) pthread_cond_wait(&condition, &mutex);
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

static void *consume(void *unused) {
    pthread_setname_np(pthread_self(), "app-consume");
    pthread_mutex_lock(&mutex);
    while (produced >= 0) {
        if (consumed < produced) {
            CHECK_EQUAL(consumed + 1, produced);
            ++consumed;
            pthread_cond_broadcast(&condition);
        } else {
            pthread_cond_wait(&condition, &mutex);
        }
    }
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *allocate(void *unused) {
    pthread_setname_np(pthread_self(), "app-allocate");
    for (; still_waiting(); ++mallocs) {
        char *block = malloc(mallocs % 5000 + 1);
        block[0] = 1;
        free(block);
    }
    return unused;
}

static void *block(void *unused) {
    pthread_setname_np(pthread_self(), "app-block");
    pthread_mutex_lock(&held);
    if (still_waiting()) fail("a mutex was given to a second owner");
    pthread_mutex_unlock(&held);
    return unused;
}

int main(void) {
    begin("serial_threads");
    void *(*const bodies[])(void *) = {produce, consume, allocate, allocate, block};
    enum { kThreads = sizeof bodies / sizeof *bodies };
    pthread_t threads[kThreads];
    char tickets[kThreads];
    pthread_mutex_lock(&held);
    for (int i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, bodies[i], &tickets[i]), 0);
    ready();
    wait_for_go();
    pthread_mutex_unlock(&held);
    for (int i = 0; i < kThreads; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &tickets[i]);
    }
    CHECK_EQUAL(-produced - 1, consumed);
    return pass();
}
