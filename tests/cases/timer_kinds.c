// Timers of every kind by what they count and how they tell: interval timers of CPU time, overruns, a timer that tells
// nobody, one whose signal is queued and blocked at the cut, an absolute one, alarm.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "testcase.h"

enum { kMs = 1000000 };
static volatile sig_atomic_t virtual_ticks, profile_ticks, alarms, queued, queued_overrun;
static timer_t blocked;

static double now(clockid_t clock) {
    struct timespec t;
    CHECK_EQUAL(clock_gettime(clock, &t), 0);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}
static void on_virtual(int number) { virtual_ticks += number == SIGVTALRM; }
static void on_profile(int number) { profile_ticks += number == SIGPROF; }
static void on_alarm(int number) { alarms += number == SIGALRM; }
static void on_queued(int number) {
    (void)number;
    if (queued++ == 0) queued_overrun = timer_getoverrun(blocked);
}
static void burn(double seconds) {
    volatile uint64_t value = 1;
    for (double end = now(CLOCK_PROCESS_CPUTIME_ID) + seconds; now(CLOCK_PROCESS_CPUTIME_ID) < end;)
        for (int i = 0; i < 1000; ++i) value = mix(value);
}
static timer_t make(clockid_t clock, int notify, int number, int value) {
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = number, .sigev_value.sival_int = value};
    timer_t timer;
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    return timer;
}

int main(void) {
    begin("timer_kinds");
    signal(SIGVTALRM, on_virtual);
    signal(SIGPROF, on_profile);
    signal(SIGALRM, on_alarm);
    signal(SIGUSR1, on_queued);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    const struct itimerval often = {{0, 10000}, {0, 10000}};
    CHECK_EQUAL(setitimer(ITIMER_VIRTUAL, &often, NULL), 0);
    CHECK_EQUAL(setitimer(ITIMER_PROF, &often, NULL), 0);
    while (virtual_ticks < 2 || profile_ticks < 2) burn(0.01);
    CHECK_EQUAL(alarm(3), 0);
    const double armed = now(CLOCK_MONOTONIC);

    timer_t silent = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0), absolute = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, 8);
    timer_t wall = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR2, 9), boot = make(CLOCK_BOOTTIME, SIGEV_NONE, 0, 0);
    sigaddset(&set, SIGUSR2);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    timer_settime(silent, 0, &(struct itimerspec){{0, 0}, {1000, 0}}, NULL);
    timer_settime(boot, 0, &(struct itimerspec){{7, 0}, {700, 0}}, NULL);
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += 3;
    timer_settime(absolute, TIMER_ABSTIME, &(struct itimerspec){{0, 0}, at}, NULL);
    struct timespec wall_at;
    clock_gettime(CLOCK_REALTIME, &wall_at);
    wall_at.tv_sec += 1000;
    timer_settime(wall, TIMER_ABSTIME, &(struct itimerspec){{0, 0}, wall_at}, NULL);
    blocked = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 7);
    timer_settime(blocked, 0, &(struct itimerspec){{0, 5 * kMs}, {0, 5 * kMs}}, NULL);
    for (double until = now(CLOCK_MONOTONIC) + 0.2; now(CLOCK_MONOTONIC) < until;) nap();
    ready();
    wait_for_go();

    struct itimerspec left;
    CHECK_EQUAL(timer_gettime(silent, &left), 0);
    CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec < 1000);
    CHECK_EQUAL(timer_gettime(boot, &left), 0);
    CHECK(left.it_value.tv_sec > 600 && left.it_value.tv_sec < 700 && left.it_interval.tv_sec == 7);
    CHECK_EQUAL(timer_gettime(wall, &left), 0);
    CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec < 1000);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &one, NULL), 0);
    CHECK(queued >= 1);
    CHECK(queued_overrun >= 30);
    for (int wanted = queued + 2; queued < wanted;) nap();
    CHECK_EQUAL(timer_delete(blocked), 0);

    siginfo_t info;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    int got;
    while ((got = sigwaitinfo(&one, &info)) < 0) CHECK_EQUAL(errno, EINTR);
    CHECK_EQUAL(got, SIGUSR2);
    CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 8);
    CHECK(now(CLOCK_MONOTONIC) >= at.tv_sec + 1e-9 * at.tv_nsec);
    while (!alarms) nap();
    CHECK(now(CLOCK_MONOTONIC) - armed >= 2.99 && now(CLOCK_MONOTONIC) - armed < 15);
    int virtual_before = virtual_ticks, profile_before = profile_ticks;
    while (virtual_ticks < virtual_before + 3 || profile_ticks < profile_before + 3) burn(0.01);
    struct itimerval still;
    CHECK_EQUAL(getitimer(ITIMER_PROF, &still), 0);
    CHECK_EQUAL(still.it_interval.tv_usec, 10000);
    memset(&still, 0, sizeof still);
    setitimer(ITIMER_VIRTUAL, &still, NULL);
    setitimer(ITIMER_PROF, &still, NULL);
    return pass();
}
