// An interval timer goes on ticking: real time in this process, and its interval is readable.
#include <signal.h>
#include <sys/time.h>

#include "testcase_mpi.h"

static volatile sig_atomic_t ticks;

static void on_alarm(int number) {
    (void)number;
    ++ticks;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "itimer_ticks");
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 7000}, {0, 7000}}, now;
    setitimer(ITIMER_REAL, &every, NULL);
    while (ticks < 3) nap();
    ready();
    wait_for_go();

    getitimer(ITIMER_REAL, &now);
    CHECK_EQUAL(now.it_interval.tv_usec, 7000);
    // A timer that is dead would let this run into the runner's time-out.
    for (int wanted = ticks + 5; ticks < wanted;) nap();
    every.it_interval.tv_usec = every.it_value.tv_usec = 0;
    setitimer(ITIMER_REAL, &every, NULL);
    return finish();
}
