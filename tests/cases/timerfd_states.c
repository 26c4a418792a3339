// timerfd in every state: disarmed, relative, absolute on both clocks, with an interval, and with expirations that were
// not read, once and periodic.  One for a point of the wall clock stays at that point.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

static int timer(int clock, int flags, double first, double interval) {
    int fd = timerfd_create(clock, TFD_NONBLOCK);
    struct timespec now = {0, 0};
    if (flags & TFD_TIMER_ABSTIME) clock_gettime(clock, &now);
    double at = now.tv_nsec / 1e9 + first;
    struct itimerspec value = {{(time_t)interval, (long)((interval - (time_t)interval) * 1e9)},
                               {now.tv_sec + (time_t)at, (long)((at - (time_t)at) * 1e9)}};
    CHECK_EQUAL(timerfd_settime(fd, flags, &value, NULL), 0);
    return fd;
}
static uint64_t ticks(int fd) {
    uint64_t count = 0;
    return read(fd, &count, sizeof count) == sizeof count ? count : 0;
}
static void between(int fd, int least, int most, int interval) {
    struct itimerspec now;
    CHECK_EQUAL(timerfd_gettime(fd, &now), 0);
    CHECK(now.it_value.tv_sec >= least && now.it_value.tv_sec <= most);
    CHECK_EQUAL(now.it_interval.tv_sec, interval);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "timerfd_states");
    int off = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), steady = timer(CLOCK_MONOTONIC, 0, 1000, 7);
    int point = timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, 1000, 0);
    struct timespec begun, now;
    clock_gettime(CLOCK_REALTIME, &begun);
    int wall = timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, 1000, 0);
    int once = timer(CLOCK_MONOTONIC, 0, 1e-6, 0), periodic = timer(CLOCK_MONOTONIC, 0, 0.002, 0.002);
    int rare = timer(CLOCK_MONOTONIC, 0, 1e-6, 500);
    struct pollfd state[] = {{once, POLLIN, 0}, {rare, POLLIN, 0}};
    CHECK(poll(state, 2, 10000) > 0);
    CHECK(poll(state + 1, 1, 10000) == 1);
    // Some dozens of periods, which nobody reads.
    for (int i = 0; i < 25; ++i) nap();
    watch_descriptor(off);
    watch_descriptor(steady);
    watch_descriptor(wall);
    watch_descriptor(rare);
    ready();
    wait_for_go();

    struct itimerspec value;
    CHECK_EQUAL(timerfd_gettime(off, &value), 0);
    CHECK(value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0);
    CHECK_EQUAL(ticks(off), 0);
    between(steady, 800, 1000, 7);
    between(point, 800, 1000, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK_EQUAL(timerfd_gettime(wall, &value), 0);
    CHECK(value.it_value.tv_sec + now.tv_sec - begun.tv_sec >= 998 && value.it_value.tv_sec + now.tv_sec - begun.tv_sec <= 1001);
    CHECK_EQUAL(ticks(once), 1);
    CHECK_EQUAL(ticks(once), 0);
    CHECK(ticks(periodic) >= 25);
    struct pollfd again = {periodic, POLLIN, 0};
    CHECK_EQUAL(poll(&again, 1, 10000), 1);
    CHECK_EQUAL(ticks(rare), 1);
    between(rare, 300, 500, 500);
    return finish();
}
