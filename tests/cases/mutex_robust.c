// Robust mutexes: one whose owner ends after the restart while it holds it is handed on with EOWNERDEAD, one that is held
// over the cut, one locked after it; shared between processes or not, and one whose owner had died before the cut.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

enum { kMutexes = 6 };
static pthread_mutex_t *mutexes;
static pthread_barrier_t taken;
static volatile int may_end, waiting;

static void make(pthread_mutex_t *mutex, int kind, int shared, int protocol) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, shared);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
    pthread_mutexattr_destroy(&attributes);
}

static void *die_holding(void *argument) {
    CHECK_EQUAL(pthread_mutex_lock(argument), 0);
    return NULL;
}
// Holds 0, 1 and 3 over the cut and gives 0 back; locks 2 afterwards.
static void *hold(void *unused) {
    pthread_setname_np(pthread_self(), "app-holder");
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[0]), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[1]), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[3]), 0);
    pthread_barrier_wait(&taken);
    wait_for_go();
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[0]), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[2]), 0);
    while (!may_end) nap();
    return unused;
}
static void *wait_for_death(void *unused) {
    pthread_setname_np(pthread_self(), "app-waiter");
    waiting = 1;
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[1]), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&mutexes[1]), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[1]), 0);
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mutex_robust");
    mutexes = mmap(NULL, kMutexes * sizeof *mutexes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mutexes != MAP_FAILED);
    make(&mutexes[0], PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE);
    make(&mutexes[1], PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_NONE);
    make(&mutexes[2], PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE);
    make(&mutexes[3], PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_INHERIT);
    make(&mutexes[4], PTHREAD_MUTEX_RECURSIVE, PTHREAD_PROCESS_PRIVATE, PTHREAD_PRIO_NONE);
    make(&mutexes[5], PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED, PTHREAD_PRIO_NONE);
    pthread_t holder, waiter, dead;
    CHECK_EQUAL(pthread_create(&dead, NULL, die_holding, &mutexes[5]), 0);
    CHECK_EQUAL(pthread_join(dead, NULL), 0);
    pthread_barrier_init(&taken, NULL, 2);
    CHECK_EQUAL(pthread_create(&holder, NULL, hold, NULL), 0);
    pthread_barrier_wait(&taken);
    CHECK_EQUAL(pthread_create(&waiter, NULL, wait_for_death, NULL), 0);
    while (!waiting) nap();
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[4]), 0);
    nap();
    ready();
    wait_for_go();

    CHECK_EQUAL(pthread_mutex_lock(&mutexes[4]), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[4]), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[4]), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[4]), EPERM);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[5]), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[5]), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[5]), ENOTRECOVERABLE);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[0]), 0);
    CHECK_EQUAL(pthread_mutex_trylock(&mutexes[3]), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&mutexes[0]), 0);
    may_end = 1;
    CHECK_EQUAL(pthread_join(holder, NULL), 0);
    CHECK_EQUAL(pthread_join(waiter, NULL), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[2]), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[3]), EOWNERDEAD);
    for (int i = 2; i < 4; ++i) {
        CHECK_EQUAL(pthread_mutex_consistent(&mutexes[i]), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&mutexes[i]), 0);
        CHECK_EQUAL(pthread_mutex_destroy(&mutexes[i]), 0);
    }
    return finish();
}
