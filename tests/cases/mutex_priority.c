// Mutexes with priority inheritance: held over the cut with a waiter, waited for with a condition, and fought for after
// the restart by threads of before and new ones.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "testcase_mpi.h"

enum { kThreads = 3, kRounds = 2000 };
static pthread_mutex_t held, recursive, with_condition, fought;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t prepared;
static volatile int may_pass, passed;
static long counter;

static void make(pthread_mutex_t *mutex, int kind) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
    pthread_mutexattr_destroy(&attributes);
}
static void fight(void) {
    for (int i = 0; i < kRounds; ++i) {
        CHECK_EQUAL(pthread_mutex_lock(&fought), 0);
        ++counter;
        if (i % 500 == 0) nap();
        CHECK_EQUAL(pthread_mutex_unlock(&fought), 0);
    }
}
static void *work(void *argument) {
    const int number = (int)(intptr_t)argument;
    pthread_setname_np(pthread_self(), "app-worker");
    pthread_barrier_wait(&prepared);
    if (number == 0) {
        CHECK_EQUAL(pthread_mutex_lock(&held), 0);
        CHECK(passed);
        CHECK_EQUAL(pthread_mutex_unlock(&held), 0);
    } else if (number == 1) {
        CHECK_EQUAL(pthread_mutex_lock(&with_condition), 0);
        while (!may_pass) CHECK_EQUAL(pthread_cond_wait(&condition, &with_condition), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&with_condition), 0);
    } else {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 3;
        CHECK_EQUAL(pthread_mutex_timedlock(&held, &until), ETIMEDOUT);
        wait_for_go();
    }
    fight();
    return NULL;
}
static void *fight_only(void *unused) {
    fight();
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mutex_priority");
    make(&held, PTHREAD_MUTEX_ERRORCHECK);
    make(&recursive, PTHREAD_MUTEX_RECURSIVE);
    make(&with_condition, PTHREAD_MUTEX_NORMAL);
    make(&fought, PTHREAD_MUTEX_NORMAL);
    CHECK_EQUAL(pthread_mutex_lock(&held), 0);
    CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    pthread_barrier_init(&prepared, NULL, kThreads + 1);
    pthread_t threads[kThreads], added;
    for (intptr_t i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, work, (void *)i), 0);
    pthread_barrier_wait(&prepared);
    for (int i = 0; i < 10; ++i) nap();
    ready();
    wait_for_go();

    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 4;
    CHECK_EQUAL(pthread_mutex_lock(&held), EDEADLK);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), EPERM);
    struct timespec now;
    do {
        nap();
        clock_gettime(CLOCK_REALTIME, &now);
    } while (now.tv_sec < soon.tv_sec);  // the third thread's time has run out
    passed = 1;
    CHECK_EQUAL(pthread_mutex_unlock(&held), 0);
    CHECK_EQUAL(pthread_mutex_lock(&with_condition), 0);
    may_pass = 1;
    CHECK_EQUAL(pthread_cond_broadcast(&condition), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&with_condition), 0);
    CHECK_EQUAL(pthread_create(&added, NULL, fight_only, NULL), 0);
    fight();
    for (int i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(pthread_join(added, NULL), 0);
    CHECK_EQUAL(counter, (kThreads + 2) * kRounds);
    CHECK_EQUAL(pthread_mutex_trylock(&fought), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&fought), 0);
    return finish();
}
