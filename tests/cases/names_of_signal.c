// Every older name by which a signal's action or mask is set or a signal is waited for or sent: what each has set holds
// after a restart, and each works there.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "testcase_mpi.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef void (*handler)(int);
handler bsd_signal(int number, handler action);
handler __sysv_signal(int number, handler action);
// signal.h gives the name of one to the other.
int bsd_sigpause(int mask) __asm__("sigpause");
int system_v_sigpause(int number) __asm__("__xpg_sigpause");

static volatile int seen[65];
static void on(int number) { ++seen[number]; }

static handler action_of(int number) {
    struct sigaction action;
    CHECK_EQUAL(sigaction(number, NULL, &action), 0);
    return action.sa_handler;
}
static int is_blocked(int number) {
    sigset_t set;
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, NULL, &set), 0);
    return sigismember(&set, number);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "names_of_signal");
    /* A shell starts what it leaves in the background with some of these ignored. */
    const int mine[] = {SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGIO, SIGPWR, SIGTTOU, SIGTTIN, SIGALRM};
    for (unsigned i = 0; i < sizeof mine / sizeof *mine; ++i) signal(mine[i], SIG_DFL);
    CHECK(signal(SIGUSR1, on) == SIG_DFL && bsd_signal(SIGUSR2, on) == SIG_DFL && ssignal(SIGWINCH, on) == SIG_DFL);
    CHECK(sysv_signal(SIGHUP, on) == SIG_DFL && __sysv_signal(SIGQUIT, on) == SIG_DFL);
    CHECK(sigset(SIGIO, on) == SIG_DFL && sigset(SIGPWR, SIG_HOLD) == SIG_DFL);
    CHECK_EQUAL(sigignore(SIGTTOU), 0);
    CHECK_EQUAL(sighold(SIGTTIN), 0);
    CHECK_EQUAL(sighold(SIGALRM), 0);
    CHECK_EQUAL(sigrelse(SIGTTIN), 0);
    CHECK_EQUAL(siginterrupt(SIGUSR2, 1), 0);
    CHECK(signal(SIGALRM, on) == SIG_DFL);
    CHECK_EQUAL(sigblock(1 << (SIGURG - 1)) & (1 << (SIGALRM - 1)), 1 << (SIGALRM - 1));
    ready();
    wait_for_go();

    CHECK(action_of(SIGUSR1) == on && action_of(SIGUSR2) == on && action_of(SIGWINCH) == on && action_of(SIGIO) == on);
    CHECK(action_of(SIGTTOU) == SIG_IGN);
    CHECK(is_blocked(SIGPWR) && !is_blocked(SIGTTIN) && is_blocked(SIGALRM) && is_blocked(SIGURG));
    CHECK_EQUAL(siggetmask(), 1 << (SIGPWR - 1) | 1 << (SIGALRM - 1) | 1 << (SIGURG - 1));
    CHECK_EQUAL(gsignal(SIGHUP), 0);
    CHECK_EQUAL(raise(SIGQUIT), 0);
    CHECK_EQUAL(seen[SIGHUP], 1);
    CHECK_EQUAL(seen[SIGQUIT], 1);
    CHECK(action_of(SIGHUP) == SIG_DFL && action_of(SIGQUIT) == SIG_DFL);

    // Both ways to wait with one signal let through, which comes by itself.
    CHECK_EQUAL(ualarm(20000, 0), 0);
    CHECK_EQUAL(system_v_sigpause(SIGALRM), -1);
    CHECK_EQUAL(errno, EINTR);
    CHECK_EQUAL(seen[SIGALRM], 1);
    CHECK_EQUAL(ualarm(20000, 0), 0);
    CHECK_EQUAL(bsd_sigpause(siggetmask() & ~(1 << (SIGALRM - 1))), -1);
    CHECK_EQUAL(seen[SIGALRM], 2);
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGPWR);
    CHECK_EQUAL(raise(SIGPWR), 0);
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGPWR);
    CHECK_EQUAL(sigsetmask(0) & (1 << (SIGPWR - 1)), 1 << (SIGPWR - 1));
    CHECK_EQUAL(siggetmask(), 0);
    return finish();
}
