// Threads that wait at the cut, each in another call: none of them is woken by the checkpoint or the restart, and each
// goes on when what it waits for comes, or when its time has come.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "testcase.h"

enum { kSeconds = 4 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER, never = PTHREAD_COND_INITIALIZER, monotonic;
static pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER, read_locked = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t semaphore, empty;
static pthread_t last;
static int pipes[2], sockets[2], timed_sockets[2], event, poller, silent[2];
static volatile int started, finished, go, once_runs;

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}
static struct timespec after(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_sec += kSeconds;
    return t;
}
static const struct timespec span = {kSeconds, 0};

// Those that wait for something to happen.
static void in_cond_wait(void) {
    pthread_mutex_lock(&mutex);
    while (!go) CHECK_EQUAL(pthread_cond_wait(&condition, &mutex), 0);
    pthread_mutex_unlock(&mutex);
}
static void in_mutex(void) {
    CHECK_EQUAL(pthread_mutex_lock(&held), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&held), 0);
}
static void in_rdlock(void) {
    CHECK_EQUAL(pthread_rwlock_rdlock(&written), 0);
    CHECK_EQUAL(pthread_rwlock_unlock(&written), 0);
}
static void in_wrlock(void) {
    CHECK_EQUAL(pthread_rwlock_wrlock(&read_locked), 0);
    CHECK_EQUAL(pthread_rwlock_unlock(&read_locked), 0);
}
static void in_spin(void) {
    CHECK_EQUAL(pthread_spin_lock(&spin), 0);
    CHECK_EQUAL(pthread_spin_unlock(&spin), 0);
}
static void in_sem(void) { CHECK_EQUAL(sem_wait(&semaphore), 0); }
static void in_barrier(void) { pthread_barrier_wait(&barrier); }
static void run_once(void) {
    while (!go) nap();
    ++once_runs;
}
static void in_once(void) {
    CHECK_EQUAL(pthread_once(&once, run_once), 0);
    CHECK_EQUAL(once_runs, 1);
}
static void in_read(void) {
    char byte;
    CHECK_EQUAL(read(pipes[0], &byte, 1), 1);
}
static void in_recv(void) {
    char byte;
    CHECK_EQUAL(recv(sockets[0], &byte, 1, 0), 1);
}
static void in_eventfd(void) {
    eventfd_t value;
    CHECK_EQUAL(eventfd_read(event, &value), 0);
}
static void in_poll(void) {
    struct pollfd one = {.fd = event, .events = POLLIN};
    CHECK_EQUAL(poll(&one, 1, -1), 1);
}
static void in_epoll(void) {
    struct epoll_event got;
    CHECK_EQUAL(epoll_wait(poller, &got, 1, -1), 1);
}
static void in_sigwait(void) {
    sigset_t set;
    int number = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(sigwait(&set, &number), 0);
    CHECK_EQUAL(number, SIGUSR1);
}
static void in_sigwaitinfo(void) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGRTMIN + 1);
    CHECK_EQUAL(info.si_value.sival_int, 17);
}
static void in_pause(void) {
    CHECK_EQUAL(pause(), -1);
    CHECK_EQUAL(errno, EINTR);
    CHECK(go);
}
static void in_sigsuspend(void) {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGUSR2);
    CHECK_EQUAL(sigsuspend(&set), -1);
    CHECK_EQUAL(errno, EINTR);
    CHECK(go);
}

// Those that wait for a time.
static void in_nanosleep(void) { CHECK_EQUAL(nanosleep(&span, NULL), 0); }
static void in_absolute_sleep(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
}
static void in_realtime_sleep(void) {
    struct timespec until = after(CLOCK_REALTIME);
    CHECK_EQUAL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0);
}
static void in_boottime_sleep(void) {
    struct timespec until = after(CLOCK_BOOTTIME);
    CHECK_EQUAL(clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL), 0);
}
static void in_timed_poll(void) {
    struct pollfd one = {.fd = silent[0], .events = POLLIN};
    CHECK_EQUAL(poll(&one, 1, kSeconds * 1000), 0);
}
static void in_ppoll(void) {
    struct pollfd one = {.fd = silent[0], .events = POLLIN};
    sigset_t set;
    sigfillset(&set);
    CHECK_EQUAL(ppoll(&one, 1, &span, &set), 0);
}
static void in_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(silent[0], &set);
    struct timeval limit = {kSeconds, 0};
    CHECK_EQUAL(select(silent[0] + 1, &set, NULL, NULL, &limit), 0);
}
static void in_timed_sem(void) {
    struct timespec until = after(CLOCK_REALTIME);
    CHECK_EQUAL(sem_timedwait(&empty, &until), -1);
    CHECK_EQUAL(errno, ETIMEDOUT);
}
static void in_clocked_sem(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    CHECK_EQUAL(sem_clockwait(&empty, CLOCK_MONOTONIC, &until), -1);
    CHECK_EQUAL(errno, ETIMEDOUT);
}
static void in_timed_cond(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    pthread_mutex_lock(&mutex);
    CHECK_EQUAL(pthread_cond_timedwait(&monotonic, &mutex, &until), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}
static void in_realtime_cond(void) {
    struct timespec until = after(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    CHECK_EQUAL(pthread_cond_timedwait(&never, &mutex, &until), ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}
static void in_timed_mutex(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    CHECK_EQUAL(pthread_mutex_clocklock(&held, CLOCK_MONOTONIC, &until), ETIMEDOUT);
}
static void in_realtime_mutex(void) {
    struct timespec until = after(CLOCK_REALTIME);
    CHECK_EQUAL(pthread_mutex_timedlock(&held, &until), ETIMEDOUT);
}
static void in_timed_rdlock(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    CHECK_EQUAL(pthread_rwlock_clockrdlock(&written, CLOCK_MONOTONIC, &until), ETIMEDOUT);
}
static void in_clocked_join(void) {
    struct timespec until = after(CLOCK_MONOTONIC);
    CHECK_EQUAL(pthread_clockjoin_np(last, NULL, CLOCK_MONOTONIC, &until), ETIMEDOUT);
}
static void in_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    CHECK_EQUAL(sigtimedwait(&set, NULL, &span), -1);
    CHECK_EQUAL(errno, EAGAIN);
}
static void in_timed_recv(void) {
    char byte;
    CHECK_EQUAL(recv(timed_sockets[0], &byte, 1, 0), -1);
    CHECK(errno == EAGAIN);
}

typedef struct Waiter {
    const char *name;
    void (*wait)(void);
    bool timed;
    clockid_t clock;  // by which its time is meant; of these two the first stands still while the program does
    pthread_t thread;
} Waiter;
#define W(name, timed) {#name, name, timed, CLOCK_MONOTONIC, 0}
#define REAL(name) {#name, name, 1, CLOCK_REALTIME, 0}
static Waiter waiters[] = {
    W(in_cond_wait, 0), W(in_mutex, 0), W(in_rdlock, 0), W(in_wrlock, 0), W(in_spin, 0), W(in_sem, 0), W(in_barrier, 0),
    W(in_once, 0), W(in_once, 0), W(in_read, 0), W(in_recv, 0), W(in_eventfd, 0), W(in_poll, 0), W(in_epoll, 0),
    W(in_sigwait, 0), W(in_sigwaitinfo, 0), W(in_pause, 0), W(in_sigsuspend, 0),
    W(in_nanosleep, 1), W(in_absolute_sleep, 1), REAL(in_realtime_sleep), W(in_boottime_sleep, 1), W(in_timed_poll, 1),
    W(in_ppoll, 1), W(in_select, 1), REAL(in_timed_sem), W(in_clocked_sem, 1), W(in_timed_cond, 1),
    REAL(in_realtime_cond), W(in_timed_mutex, 1), REAL(in_realtime_mutex), W(in_timed_rdlock, 1), W(in_clocked_join, 1),
    W(in_sigtimedwait, 1), W(in_timed_recv, 1),
};
enum { kWaiters = sizeof waiters / sizeof *waiters };

static void *run(void *argument) {
    Waiter *waiter = argument;
    double began = now(waiter->clock);
    ++started;
    waiter->wait();
    double took = now(waiter->clock) - began;
    if (!waiter->timed && !go) fail("%s was woken too early", waiter->name);
    if (waiter->timed && took < kSeconds - 0.01) fail("%s took %.3f s, should be %d", waiter->name, took, kSeconds);
    // Loaded machines are late, but a wrong clock would be so by more.
    if (waiter->timed && took > 15) fail("%s took %.3f s, should be %d", waiter->name, took, kSeconds);
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
    return NULL;
}
static void on_signal(int number) { (void)number; }

int main(void) {
    begin("waits_at_cut");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &attributes);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_spin_init(&spin, 0);
    sem_init(&semaphore, 0, 0);
    sem_init(&empty, 0, 0);
    CHECK_EQUAL(pipe(pipes), 0);
    CHECK_EQUAL(pipe(silent), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, timed_sockets), 0);
    const struct timeval limit = {kSeconds, 0};
    CHECK_EQUAL(setsockopt(timed_sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    event = eventfd(0, EFD_SEMAPHORE);
    poller = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN};
    CHECK_EQUAL(epoll_ctl(poller, EPOLL_CTL_ADD, event, &interest), 0);
    signal(SIGUSR2, on_signal);
    sigset_t set, old;
    sigemptyset(&set);
    for (int i = 0; i < 3; ++i) sigaddset(&set, SIGRTMIN + i);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
    pthread_mutex_lock(&held);
    pthread_rwlock_wrlock(&written);
    pthread_rwlock_rdlock(&read_locked);
    pthread_spin_lock(&spin);
    for (int i = 0; i < kWaiters; ++i) {
        if (waiters[i].wait == in_clocked_join) last = waiters[0].thread;
        CHECK_EQUAL(pthread_create(&waiters[i].thread, NULL, run, &waiters[i]), 0);
        while (started <= i) nap();
    }
    nap();
    ready();
    wait_for_go();

    int timed = 0;
    for (int i = 0; i < kWaiters; ++i) timed += waiters[i].timed;
    while (finished < timed) nap();
    CHECK_EQUAL(finished, timed);
    go = 1;
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_unlock(&held);
    pthread_rwlock_unlock(&written);
    pthread_rwlock_unlock(&read_locked);
    pthread_spin_unlock(&spin);
    sem_post(&semaphore);
    pthread_barrier_wait(&barrier);
    CHECK_EQUAL(write(pipes[1], "x", 1), 1);
    CHECK_EQUAL(send(sockets[1], "x", 1, 0), 1);
    CHECK_EQUAL(eventfd_write(event, 5), 0);
    for (int i = 0; i < kWaiters; ++i) {
        if (waiters[i].wait == in_sigwait) CHECK_EQUAL(pthread_kill(waiters[i].thread, SIGUSR1), 0);
        if (waiters[i].wait == in_sigwaitinfo)
            CHECK_EQUAL(pthread_sigqueue(waiters[i].thread, SIGRTMIN + 1, (union sigval){.sival_int = 17}), 0);
        if (waiters[i].wait == in_pause || waiters[i].wait == in_sigsuspend)
            CHECK_EQUAL(pthread_kill(waiters[i].thread, SIGUSR2), 0);
    }
    for (int i = 0; i < kWaiters; ++i) CHECK_EQUAL(pthread_join(waiters[i].thread, NULL), 0);
    return pass();
}
