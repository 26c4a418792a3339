// POSIX timers that signal the process: one periodic, one far in the future, one disarmed; ids and values are kept.
#include <signal.h>
#include <time.h>

#include "testcase_mpi.h"

static volatile sig_atomic_t ticks, wrong;

static void on_tick(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    if (info->si_code == SI_TIMER && info->si_value.sival_int == 99)
        ++ticks;
    else
        wrong = 1;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "posix_timer_signal");
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    timer_t periodic, distant, idle;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 99};
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &periodic), 0);
    event.sigev_value.sival_int = 1;
    CHECK_EQUAL(timer_create(CLOCK_REALTIME, &event, &distant), 0);
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &event, &idle), 0);
    timer_settime(periodic, 0, &(struct itimerspec){{0, 5000000}, {0, 5000000}}, NULL);
    timer_settime(distant, 0, &(struct itimerspec){{0, 0}, {5000, 0}}, NULL);
    while (ticks < 3) nap();
    ready();
    wait_for_go();

    struct itimerspec now;
    for (int wanted = ticks + 5; ticks < wanted;) nap();
    CHECK_EQUAL(timer_gettime(periodic, &now), 0);
    CHECK_EQUAL(now.it_interval.tv_nsec, 5000000);
    CHECK_EQUAL(timer_gettime(distant, &now), 0);
    CHECK(now.it_value.tv_sec > 4800 && now.it_value.tv_sec <= 5000);
    CHECK_EQUAL(timer_gettime(idle, &now), 0);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    CHECK_EQUAL(timer_delete(periodic), 0);
    CHECK_EQUAL(timer_delete(distant), 0);
    CHECK_EQUAL(timer_delete(idle), 0);
    CHECK_EQUAL(wrong, 0);
    return finish();
}
