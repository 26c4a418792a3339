// Queued real-time signals, more than a handful, for the process and for single threads, keep values, order and the one
// they were for.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "testcase.h"

enum { kOwn = 40, kShared = 100 };
static int first, second;
static pthread_barrier_t sent, order;

static void take(const sigset_t *set, int number, int count, int value) {
    const struct timespec at_once = {0, 0};
    for (int i = 0; i < count; ++i) {
        siginfo_t info;
        int got = sigtimedwait(set, &info, &at_once);
        if (got != number) fail("signal %d of %d is %d (%s), should be %d", i, count, got, strerrorname_np(errno), number);
        CHECK_EQUAL(info.si_code, SI_QUEUE);
        CHECK_EQUAL(info.si_value.sival_int, value + i);
    }
}
static void none_left(const sigset_t *set) {
    const struct timespec at_once = {0, 0};
    CHECK_EQUAL(sigtimedwait(set, NULL, &at_once), -1);
    CHECK_EQUAL(errno, EAGAIN);
}

static void *work(void *argument) {
    const sigset_t *both = argument;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, first);
    pthread_setname_np(pthread_self(), "app-worker");
    pthread_barrier_wait(&sent);
    wait_for_go();
    // A thread takes what is its own before what is everyone's.
    take(&one, first, kOwn, 2000);
    pthread_barrier_wait(&order);
    pthread_barrier_wait(&order);
    none_left(both);
    return NULL;
}

int main(void) {
    begin("signals_queued");
    first = SIGRTMIN + 3, second = SIGRTMIN + 4;
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, first);
    sigaddset(&both, second);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &both, NULL), 0);
    pthread_barrier_init(&sent, NULL, 2);
    pthread_barrier_init(&order, NULL, 2);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, work, &both), 0);
    pthread_barrier_wait(&sent);
    for (int i = 0; i < kOwn; ++i) {
        CHECK_EQUAL(pthread_sigqueue(thread, first, (union sigval){.sival_int = 2000 + i}), 0);
        CHECK_EQUAL(pthread_sigqueue(pthread_self(), first, (union sigval){.sival_int = 1000 + i}), 0);
    }
    for (int i = 0; i < kShared; ++i) {
        CHECK_EQUAL(sigqueue(getpid(), first, (union sigval){.sival_int = 3000 + i}), 0);
        CHECK_EQUAL(sigqueue(getpid(), second, (union sigval){.sival_int = 4000 + i}), 0);
    }
    ready();
    wait_for_go();
    pthread_barrier_wait(&order);
    take(&both, first, kOwn, 1000);
    take(&both, first, kShared, 3000);
    take(&both, second, kShared, 4000);
    none_left(&both);
    pthread_barrier_wait(&order);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return pass();
}
