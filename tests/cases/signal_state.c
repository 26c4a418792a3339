// Handlers with their flags and masks, an alternate stack, a blocked signal that is pending, an ignored one.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

static volatile sig_atomic_t usr1, usr2, value_seen;
static char *stack;
static volatile char *handler_frame;

static void on_usr1(int number, siginfo_t *info, void *context) {
    char local = 0;
    (void)number, (void)context;
    handler_frame = &local;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR2) && sigismember(&now, SIGUSR1));
    CHECK_EQUAL(info->si_code, SI_TKILL);
    ++usr1;
}

static void on_usr2(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    value_seen = info->si_value.sival_int;
    ++usr2;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "signal_state");
    const size_t stack_bytes = 65536;
    stack = malloc(stack_bytes);
    stack_t alternate = {.ss_sp = stack, .ss_size = stack_bytes}, now;
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    struct sigaction action = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART}, got;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    struct sigaction other = {.sa_sigaction = on_usr2, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    sigaction(SIGUSR2, &other, NULL);
    signal(SIGWINCH, SIG_IGN);
    sigset_t blocked, mask, pending;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigaddset(&blocked, SIGVTALRM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    // To this thread: helper threads of MPI do not block the signal and would take it.
    CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGUSR2, (union sigval){.sival_int = 4242}), 0);
    ready();
    wait_for_go();

    CHECK_EQUAL(usr2, 0);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    CHECK(sigismember(&mask, SIGUSR2) && sigismember(&mask, SIGVTALRM) && !sigismember(&mask, SIGUSR1));
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGUSR2));
    sigaction(SIGUSR1, NULL, &got);
    CHECK(got.sa_sigaction == on_usr1 && sigismember(&got.sa_mask, SIGUSR2));
    CHECK_EQUAL(got.sa_flags & (SA_SIGINFO | SA_ONSTACK | SA_RESTART), action.sa_flags);
    sigaction(SIGWINCH, NULL, &got);
    CHECK(got.sa_handler == SIG_IGN);
    sigaltstack(NULL, &now);
    CHECK(now.ss_sp == stack && now.ss_size == stack_bytes && now.ss_flags == 0);
    raise(SIGUSR1);
    CHECK_EQUAL(usr1, 1);
    CHECK(handler_frame >= stack && handler_frame < stack + stack_bytes);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    CHECK_EQUAL(usr2, 1);
    CHECK_EQUAL(value_seen, 4242);
    sigaction(SIGUSR2, NULL, &got);
    CHECK(got.sa_handler == SIG_DFL);
    return finish();
}
