// A POSIX timer that belongs to one thread (SIGEV_THREAD_ID) ticks in that thread, never in another.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t ticks, strays, armed;
static __thread int owner;

static void on_tick(int number) {
    (void)number;
    if (owner)
        ++ticks;
    else
        ++strays;
}

static void *own(void *timer) {
    owner = 1;
    pthread_setname_np(pthread_self(), "app-timer");
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event.sigev_notify_thread_id = gettid();
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, timer), 0);
    timer_settime(*(timer_t *)timer, 0, &(struct itimerspec){{0, 5000000}, {0, 5000000}}, NULL);
    while (ticks < 2) nap();
    armed = 1;
    wait_for_go();
    for (int wanted = ticks + 5; ticks < wanted;) nap();
    timer_delete(*(timer_t *)timer);
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "posix_timer_thread");
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t thread;
    timer_t timer;
    CHECK_EQUAL(pthread_create(&thread, NULL, own, &timer), 0);
    while (!armed) nap();
    ready();
    pthread_join(thread, NULL);
    CHECK_EQUAL(strays, 0);
    return finish();
}
