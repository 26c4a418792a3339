// Threads that wait in every kind of call and are signalled without a pause, while others come and go: nothing is lost,
// nobody sees an interruption without a handler, every handler runs on the thread that it was for.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kWaiters = 8, kQueued = 200 };
static sem_t semaphore;
static int pipes[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_long sent[kWaiters], ticks, posted, waited;
static atomic_int finished, began;
static atomic_bool stop, all_sent;
static pthread_t waiters[kWaiters];
static _Thread_local atomic_long got;
static _Thread_local long expected_value;

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    // Queued ones come in the order in which they were sent.
    CHECK_EQUAL(info->si_value.sival_int, expected_value);
    ++expected_value;
    ++got;
}
static void on_alarm(int number) {
    (void)number;
    ++ticks;
}

static void wait_once(int kind) {
    const struct timespec span = {0, 3000000};
    struct timespec until;
    const long before = got + ticks;
    int result = 0, interruptible = 1;
    switch (kind) {
        case 0: result = nanosleep(&span, NULL); break;
        case 1: result = poll(NULL, 0, 3); break;
        case 2: {
            struct pollfd one = {.fd = pipes[0], .events = POLLIN};
            result = ppoll(&one, 1, &span, NULL) < 0 ? -1 : 0;
            break;
        }
        case 3:
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec = (until.tv_nsec + 3000000) % 1000000000;
            result = sem_timedwait(&semaphore, &until);
            if (result == 0) ++waited;
            if (result < 0 && errno == ETIMEDOUT) result = 0;
            break;
        case 4:
            pthread_mutex_lock(&mutex);
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_nsec = (until.tv_nsec + 3000000) % 1000000000;
            pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
            pthread_mutex_unlock(&mutex);
            interruptible = 0;
            break;
        case 5: {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR2);
            result = sigtimedwait(&set, NULL, &span) < 0 && errno != EAGAIN ? -1 : 0;
            break;
        }
        case 6: {
            char byte;
            if (write(pipes[1], "x", 1) == 1) result = read(pipes[0], &byte, 1) == 1 ? 0 : -1;
            break;
        }
        default: {
            struct timeval limit = {0, 3000};
            result = select(0, NULL, NULL, NULL, &limit);
        }
    }
    if (result < 0 && (!interruptible || errno != EINTR)) fail("call %d ended with error %d", kind, errno);
    if (result < 0 && got + ticks == before) fail("call %d was interrupted by no handler of the program", kind);
}

static void *wait_in_turn(void *argument) {
    const int number = (int)(intptr_t)argument;
    ++began;
    for (int kind = number; !stop; ++kind) wait_once(kind % 8);
    // What was sent last may still be on its way, or not yet be counted.
    while (!all_sent || got < sent[number]) wait_once(0);
    CHECK_EQUAL(got, sent[number]);
    ++finished;
    return NULL;
}
static void *short_lived(void *unused) {
    sem_post(&semaphore);
    ++posted;
    return unused;
}
static void *send(void *unused) {
    while (!stop) {
        for (int i = 0; i < kWaiters; ++i) {
            const int error = pthread_sigqueue(waiters[i], SIGRTMIN + 5, (union sigval){.sival_int = (int)sent[i]});
            if (error == 0) ++sent[i];
            if (error != 0 && error != EAGAIN) fail("pthread_sigqueue: error %d", error);
        }
        pthread_t thread;
        CHECK_EQUAL(pthread_create(&thread, NULL, short_lived, NULL), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
        sched_yield();
    }
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "hammer_signals");
    sem_init(&semaphore, 0, 0);
    CHECK_EQUAL(pipe(pipes), 0);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK_EQUAL(sigaction(SIGRTMIN + 5, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm, .sa_flags = SA_RESTART}, NULL), 0);
    for (intptr_t i = 0; i < kWaiters; ++i) CHECK_EQUAL(pthread_create(&waiters[i], NULL, wait_in_turn, (void *)i), 0);
    while (began < kWaiters) nap();
    const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {};
    CHECK_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
    pthread_t sender;
    CHECK_EQUAL(pthread_create(&sender, NULL, send, NULL), 0);
    while (ticks < 3) nap();
    ready();
    wait_for_go();
    for (long wanted = ticks + 5; ticks < wanted;) nap();
    stop = true;
    CHECK_EQUAL(pthread_join(sender, NULL), 0);
    all_sent = true;
    for (int i = 0; i < kWaiters; ++i) CHECK_EQUAL(pthread_join(waiters[i], NULL), 0);
    CHECK_EQUAL(finished, kWaiters);
    setitimer(ITIMER_REAL, &never, NULL);
    return finish();
}
