// CPU time of the process and of its threads, by every name it has, goes on from what it was; clocks of threads that the
// program remembers are still theirs, and a timer on such a clock ends when the clock says so.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "testcase.h"

enum { kClocks = 5 };
static clockid_t clocks[kClocks];
static volatile sig_atomic_t rung;
static pthread_barrier_t used, looked;

static double seconds(clockid_t clock) {
    struct timespec now;
    CHECK_EQUAL(clock_gettime(clock, &now), 0);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}
static void use(clockid_t clock, double more) {
    volatile uint64_t value = 1;
    for (double end = seconds(clock) + more; seconds(clock) < end;)
        for (int i = 0; i < 1000; ++i) value = mix(value);
}
static double of_usage(int who) {
    struct rusage usage;
    CHECK_EQUAL(getrusage(who, &usage), 0);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
static void on_ring(int number) {
    (void)number;
    rung = 1;
}

static void *work(void *unused) {
    pthread_setname_np(pthread_self(), "app-worker");
    use(CLOCK_THREAD_CPUTIME_ID, 0.15);
    double before = seconds(CLOCK_THREAD_CPUTIME_ID), usage = of_usage(RUSAGE_THREAD);
    pthread_barrier_wait(&used);
    wait_for_go();
    CHECK(seconds(CLOCK_THREAD_CPUTIME_ID) >= before);
    CHECK(of_usage(RUSAGE_THREAD) >= usage);
    use(CLOCK_THREAD_CPUTIME_ID, 0.02);
    pthread_barrier_wait(&looked);
    pthread_barrier_wait(&looked);
    return unused;
}

int main(void) {
    begin("cpu_clocks");
    pthread_t thread;
    pthread_barrier_init(&used, NULL, 2);
    pthread_barrier_init(&looked, NULL, 2);
    CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
    pthread_barrier_wait(&used);
    use(CLOCK_PROCESS_CPUTIME_ID, 0.1);
    clocks[0] = CLOCK_PROCESS_CPUTIME_ID;
    clocks[1] = CLOCK_THREAD_CPUTIME_ID;
    CHECK_EQUAL(clock_getcpuclockid(getpid(), &clocks[2]), 0);
    CHECK_EQUAL(pthread_getcpuclockid(pthread_self(), &clocks[3]), 0);
    CHECK_EQUAL(pthread_getcpuclockid(thread, &clocks[4]), 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    signal(SIGUSR1, on_ring);
    CHECK_EQUAL(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer), 0);
    double due = seconds(CLOCK_PROCESS_CPUTIME_ID) + 1;
    struct itimerspec at = {{0, 0}, {(time_t)due, (long)((due - (time_t)due) * 1e9)}};
    CHECK_EQUAL(timer_settime(timer, TIMER_ABSTIME, &at, NULL), 0);
    double before[kClocks], usage = of_usage(RUSAGE_SELF), mine = of_usage(RUSAGE_THREAD);
    for (int i = 0; i < kClocks; ++i) before[i] = seconds(clocks[i]);
    clock_t all = clock();
    struct tms parts;
    clock_t passed = times(&parts);
    ready();
    wait_for_go();

    pthread_barrier_wait(&looked);
    for (int i = 0; i < kClocks; ++i)
        if (seconds(clocks[i]) < before[i]) fail("clock %d went from %.3f to %.3f", i, before[i], seconds(clocks[i]));
    CHECK(clock() >= all);
    struct tms now;
    CHECK(times(&now) >= passed);
    CHECK(now.tms_utime + now.tms_stime >= parts.tms_utime + parts.tms_stime);
    CHECK(of_usage(RUSAGE_SELF) >= usage && of_usage(RUSAGE_THREAD) >= mine);
    // A second at most is there to be used, whatever the process has used until it was told to go.
    CHECK(seconds(clocks[2]) - seconds(clocks[0]) < 0.5 && seconds(clocks[0]) - before[0] < 5);
    while (!rung && seconds(CLOCK_PROCESS_CPUTIME_ID) < due + 1) use(CLOCK_THREAD_CPUTIME_ID, 0.01);
    CHECK(rung && seconds(CLOCK_PROCESS_CPUTIME_ID) >= due);
    struct timespec deadline = {0, 0};
    CHECK_EQUAL(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &deadline, NULL), 0);
    struct timespec resolution;
    CHECK_EQUAL(clock_getres(clocks[4], &resolution), 0);
    pthread_barrier_wait(&looked);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return pass();
}
