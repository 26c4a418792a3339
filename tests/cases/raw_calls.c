// System calls by syscall(2), without a function of libc: ids of process and threads, signals to them, scheduling, and
// waits on futexes with a time-out, one of them under way at the cut.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

static volatile int worker, caught, ended;
static int word_absolute, word_relative, word_endless;
static __thread int is_worker;

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)number, (void)info, (void)context;
    if (is_worker) ++caught;
}
static struct timespec now(void) {
    struct timespec t;
    CHECK_EQUAL(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t), 0);
    return t;
}
static double since(struct timespec from) {
    struct timespec t = now();
    return t.tv_sec - from.tv_sec + 1e-9 * (t.tv_nsec - from.tv_nsec);
}

static void *work(void *unused) {
    pthread_setname_np(pthread_self(), "app-worker");
    is_worker = 1;
    worker = syscall(SYS_gettid);
    wait_for_go();
    CHECK_EQUAL(syscall(SYS_gettid), worker);
    while (!ended) nap();
    return unused;
}
static void *wait_absolute(void *unused) {
    pthread_setname_np(pthread_self(), "app-absolute");
    struct timespec from = now(), until = from;
    until.tv_sec += 4;
    CHECK_EQUAL(syscall(SYS_futex, &word_absolute, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &until, NULL, ~0), -1);
    CHECK_EQUAL(errno, ETIMEDOUT);
    CHECK(since(from) >= 4 && since(from) < 12);
    return unused;
}
static void *wait_relative(void *unused) {
    pthread_setname_np(pthread_self(), "app-relative");
    struct timespec from = now(), span = {4, 0};
    CHECK_EQUAL(syscall(SYS_futex, &word_relative, FUTEX_WAIT, 0, &span, NULL, 0), -1);
    CHECK_EQUAL(errno, ETIMEDOUT);
    CHECK(since(from) >= 4 && since(from) < 12);
    return unused;
}
static void *wait_endless(void *unused) {
    pthread_setname_np(pthread_self(), "app-endless");
    CHECK_EQUAL(syscall(SYS_futex, &word_endless, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "raw_calls");
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t threads[4];
    void *(*const works[])(void *) = {work, wait_absolute, wait_relative, wait_endless};
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, works[i], NULL), 0);
    const int process = syscall(SYS_getpid), mine = syscall(SYS_gettid), parent = syscall(SYS_getppid);
    const struct timespec before = now();
    CHECK_EQUAL(process, getpid());
    CHECK(parent > 0);
    while (!worker) nap();
    ready();
    wait_for_go();

    CHECK(since(before) >= 0 && since(before) < 60);
    CHECK_EQUAL(syscall(SYS_getpid), process);
    CHECK_EQUAL(syscall(SYS_gettid), mine);
    CHECK_EQUAL(syscall(SYS_tgkill, process, worker, SIGUSR1), 0);
    while (caught < 1) nap();
    CHECK_EQUAL(syscall(SYS_tkill, worker, SIGUSR1), 0);
    while (caught < 2) nap();
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    CHECK_EQUAL(syscall(SYS_rt_tgsigqueueinfo, process, worker, SIGUSR1, &info), 0);
    while (caught < 3) nap();
    CHECK_EQUAL(syscall(SYS_kill, process, 0), 0);
    cpu_set_t set;
    CHECK(syscall(SYS_sched_getaffinity, worker, sizeof set, &set) > 0);
    CHECK_EQUAL(syscall(SYS_sched_getscheduler, worker), SCHED_OTHER);
    ended = 1;
    // Woken only when it waits: the wake-up before that is nobody's.
    while (syscall(SYS_futex, &word_endless, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) nap();
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    return finish();
}
