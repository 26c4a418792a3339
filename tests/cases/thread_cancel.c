// Cancellation: of threads in every kind of call, pending at the cut, disabled, asynchronous; clean-up handlers and
// destructors run, signals are as they were, and who was cancelled can be joined.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int pipes[2], poller;
static volatile int started, cleaned, destroyed, cancelled, go;
static pthread_key_t key;
static const struct timespec long_time = {1000, 0};

static void clean(void *mask) {
    sigset_t now;
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    for (int number = 1; number < 32; ++number)
        if (sigismember(&now, number) != sigismember(mask, number)) fail("signal %d is blocked: %d", number, sigismember(&now, number));
    __atomic_add_fetch(&cleaned, 1, __ATOMIC_SEQ_CST);
}
static void destroy(void *value) { __atomic_add_fetch(&destroyed, value != NULL, __ATOMIC_SEQ_CST); }

static void in_sleep(void) { nanosleep(&long_time, NULL); }
static void in_poll(void) { poll(NULL, 0, 1000000); }
static void in_ppoll(void) {
    sigset_t same;
    pthread_sigmask(SIG_BLOCK, NULL, &same);
    ppoll(NULL, 0, NULL, &same);
}
static void in_select(void) {
    struct timeval limit = {1000, 0};
    select(0, NULL, NULL, NULL, &limit);
}
static void in_epoll(void) {
    struct epoll_event event;
    epoll_wait(poller, &event, 1, -1);
}
static void unlock(void *locked) { pthread_mutex_unlock(locked); }
static void in_cond(void) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    for (;;) pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(1);
}
static void in_timed_cond(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1000;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    for (;;) pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
    pthread_cleanup_pop(1);
}
static void in_sem(void) { sem_wait(&semaphore); }
static void in_read(void) {
    char byte;
    if (read(pipes[0], &byte, 1) < 0) pthread_testcancel();
}
static void in_sigwait(void) {
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &number);
}
static void in_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigtimedwait(&set, NULL, &long_time);
}
static void in_pause(void) { pause(); }
static void in_sigsuspend(void) {
    sigset_t same;
    pthread_sigmask(SIG_BLOCK, NULL, &same);
    sigsuspend(&same);
}
static void asynchronous(void) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (volatile uint64_t value = 1;;) value = mix(value);
}
static void disabled(void) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    while (!go) nap();
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    CHECK_EQUAL(before, PTHREAD_CANCEL_DISABLE);
    pthread_testcancel();
}
static void (*const works[])(void) = {in_sleep, in_poll, in_ppoll, in_select, in_epoll, in_cond, in_timed_cond, in_sem,
                                      in_read, in_sigwait, in_sigtimedwait, in_pause, in_sigsuspend, asynchronous, disabled};
enum { kWorks = sizeof works / sizeof *works };

static void *run(void *argument) {
    void (*const work)(void) = works[(intptr_t)argument];
    sigset_t mask;
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    pthread_setspecific(key, &pipes);
    pthread_setname_np(pthread_self(), "app-cancel");
    pthread_cleanup_push(clean, &mask);
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    work();
    pthread_cleanup_pop(0);
    fail("thread %d was not cancelled", (int)(intptr_t)argument);
    return NULL;
}

static void cancel_all(pthread_t *threads) {
    for (int i = 0; i < kWorks; ++i) {
        int error = pthread_cancel(threads[i]);
        if (error && !(error == ESRCH && works[i] == disabled)) fail("cancelling thread %d: error %d", i, error);
    }
    go = 1;
    for (int i = 0; i < kWorks; ++i) {
        void *result = NULL;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 10;
        if (pthread_timedjoin_np(threads[i], &result, &until) != 0) fail("cancelled thread %d does not end", i);
        CHECK(result == PTHREAD_CANCELED);
    }
}
static void start_all(pthread_t *threads) {
    const int already = started;
    go = 0;
    for (intptr_t i = 0; i < kWorks; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    while (started < already + kWorks) nap();
    for (int i = 0; i < 20; ++i) nap();
}

int main(int argc, char **argv) {
    start(&argc, &argv, "thread_cancel");
    CHECK_EQUAL(pipe(pipes), 0);
    poller = epoll_create1(0);
    sem_init(&semaphore, 0, 0);
    CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_t threads[kWorks];
    start_all(threads);
    cancel_all(threads);
    CHECK_EQUAL(cleaned, kWorks);
    start_all(threads);
    CHECK_EQUAL(pthread_cancel(threads[kWorks - 1]), 0);  // pending at the cut
    ready();
    wait_for_go();
    cancel_all(threads);
    CHECK_EQUAL(cleaned, 2 * kWorks);
    CHECK_EQUAL(destroyed, 2 * kWorks);
    return finish();
}
