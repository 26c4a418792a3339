// Threads that start others and wait for them without a pause, joinable and detached, with thread-specific data.
#define _GNU_SOURCE
#include "hammer.h"

enum { kThreads = 2 };

static pthread_key_t key;
static atomic_long destroyed, finished;

typedef struct Errand {
    long in, out;
    atomic_bool done;
} Errand;

static void destroy(void *value) { destroyed += *(long *)value > 0; }

static void *run_errand(void *argument) {
    Errand *errand = argument;
    CHECK_EQUAL(pthread_setspecific(key, &errand->in), 0);
    errand->out = (long)(mix(errand->in) >> 1);
    ++finished;
    errand->done = true;
    return errand;
}

static void turn(Hammer *self) {
    Errand joined[3] = {};
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) {
        joined[i].in = 1 + self->turns * 3 + i;
        CHECK_EQUAL(pthread_create(&threads[i], NULL, run_errand, &joined[i]), 0);
    }
    for (int i = 0; i < 3; ++i) {
        void *result = NULL;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &joined[i]);
        CHECK_EQUAL(joined[i].out, (long)(mix(1 + self->turns * 3 + i) >> 1));
    }
    static Errand detached[kThreads];
    Errand *errand = &detached[self->number];
    if (self->turns % 8 == 0 && (self->turns == 0 || errand->done)) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        errand->in = self->turns + 1;
        errand->done = false;
        CHECK_EQUAL(pthread_create(&threads[0], &attributes, run_errand, errand), 0);
        pthread_attr_destroy(&attributes);
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "hammer_threads");
    CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
    static Hammer threads[kThreads];
    hammer_until_go(threads, kThreads, turn);
    // Detached threads may still be at their end.
    while (destroyed != finished) nap();
    return finish();
}
