// Threads on the smallest stacks that the system allows, and a main thread with an alternate stack of its own: what
// stops them must be content with what is left.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kThreads = 3 };
static volatile int waiting;

static void *compute(void *number) {
    pthread_setname_np(pthread_self(), "app-small");
    uint64_t value = (uintptr_t)number;
    volatile uint64_t check = mix(value);
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    while (still_waiting())
        for (int i = 0; i < 1000; ++i) value = mix(value);
    CHECK(check == mix((uintptr_t)number));
    return (void *)(uintptr_t)(value | 1);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "small_stacks");
    const size_t smallest = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    stack_t own = {.ss_sp = malloc(smallest), .ss_size = smallest}, seen;
    CHECK_EQUAL(sigaltstack(&own, NULL), 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, smallest), 0);
    pthread_t threads[kThreads];
    for (uintptr_t i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_create(&threads[i], &attributes, compute, (void *)i), 0);
    while (waiting < kThreads) nap();
    ready();
    wait_for_go();
    for (int i = 0; i < kThreads; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result != NULL);
    }
    CHECK_EQUAL(sigaltstack(NULL, &seen), 0);
    CHECK(seen.ss_sp == own.ss_sp && seen.ss_size == own.ss_size && !(seen.ss_flags & (SS_DISABLE | SS_ONSTACK)));
    return finish();
}
