// POSIX timers that start a thread at each expiry (SIGEV_THREAD): periodic, single, disarmed, and one whose function is
// running at the cut.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "testcase_mpi.h"

static volatile int ticks, singles, slow_running, slow_done, others;
static pthread_t main_thread;

static void on_tick(union sigval value) {
    CHECK_EQUAL(value.sival_int, 71);
    CHECK(!pthread_equal(pthread_self(), main_thread));
    __atomic_add_fetch(&ticks, 1, __ATOMIC_SEQ_CST);
}
static void on_single(union sigval value) {
    CHECK_EQUAL(value.sival_int, 72);
    pthread_attr_t attributes;
    size_t stack = 0;
    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_destroy(&attributes);
    CHECK_EQUAL(stack, 1 << 20);
    ++singles;
}
static void on_slow(union sigval value) {
    CHECK_EQUAL(value.sival_int, 73);
    slow_running = 1;
    wait_for_go();
    slow_done = 1;
}
static void on_other(union sigval value) {
    (void)value;
    ++others;
}

static timer_t make(void (*function)(union sigval), int value, clockid_t clock, pthread_attr_t *attributes) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = value};
    event.sigev_notify_function = function;
    event.sigev_notify_attributes = attributes;
    timer_t timer;
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    return timer;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "timer_starts_threads");
    main_thread = pthread_self();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    timer_t periodic = make(on_tick, 71, CLOCK_MONOTONIC, NULL), single = make(on_single, 72, CLOCK_REALTIME, &attributes);
    timer_t slow = make(on_slow, 73, CLOCK_MONOTONIC, NULL), gone = make(on_other, 74, CLOCK_MONOTONIC, NULL);
    timer_settime(periodic, 0, &(struct itimerspec){{0, 10000000}, {0, 10000000}}, NULL);
    timer_settime(slow, 0, &(struct itimerspec){{0, 0}, {0, 1000000}}, NULL);
    timer_settime(gone, 0, &(struct itimerspec){{0, 0}, {0, 400000000}}, NULL);
    CHECK_EQUAL(timer_delete(gone), 0);
    while (ticks < 3 || !slow_running) nap();
    ready();
    wait_for_go();

    struct itimerspec now;
    for (int wanted = ticks + 5; ticks < wanted;) nap();
    CHECK_EQUAL(timer_gettime(periodic, &now), 0);
    CHECK_EQUAL(now.it_interval.tv_nsec, 10000000);
    CHECK_EQUAL(timer_gettime(single, &now), 0);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    CHECK_EQUAL(singles, 0);
    timer_settime(single, 0, &(struct itimerspec){{0, 0}, {0, 5000000}}, NULL);
    while (!singles || !slow_done) nap();
    CHECK(timer_getoverrun(periodic) >= 0);
    CHECK_EQUAL(timer_delete(periodic), 0);
    CHECK_EQUAL(timer_delete(single), 0);
    CHECK_EQUAL(timer_delete(slow), 0);
    CHECK_EQUAL(singles, 1);
    CHECK_EQUAL(others, 0);
    timer_t late = make(on_other, 75, CLOCK_MONOTONIC, NULL);
    timer_settime(late, 0, &(struct itimerspec){{0, 0}, {0, 1000000}}, NULL);
    while (!others) nap();
    CHECK_EQUAL(timer_delete(late), 0);
    return finish();
}
