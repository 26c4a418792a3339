// What a program does to SIGTERM and SIGURG, which checkpoints use themselves: handler, mask and pending signal are its
// own.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "testcase_mpi.h"

static volatile sig_atomic_t terms, urgents;

static void on_term(int number) {
    (void)number;
    ++terms;
}
static void on_urgent(int number) {
    (void)number;
    ++urgents;
}

static void look(const sigset_t *blocked) {
    struct sigaction got;
    sigset_t mask, pending;
    CHECK_EQUAL(sigaction(SIGTERM, NULL, &got), 0);
    CHECK(got.sa_handler == on_term && (got.sa_flags & SA_RESTART) && sigismember(&got.sa_mask, SIGUSR1));
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    CHECK(sigismember(&mask, SIGTERM) == sigismember(blocked, SIGTERM) && !sigismember(&mask, SIGURG));
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGTERM));
}

int main(int argc, char **argv) {
    start(&argc, &argv, "signal_hidden");
    struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART};
    sigaddset(&action.sa_mask, SIGUSR1);
    CHECK_EQUAL(sigaction(SIGTERM, &action, NULL), 0);
    CHECK(signal(SIGURG, on_urgent) == SIG_DFL);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    CHECK_EQUAL(raise(SIGTERM), 0);
    CHECK_EQUAL(terms, 0);
    look(&blocked);
    ready();
    wait_for_go();

    look(&blocked);
    CHECK_EQUAL(terms, 0);
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
    CHECK_EQUAL(terms, 1);
    CHECK_EQUAL(pthread_kill(pthread_self(), SIGTERM), 0);
    CHECK_EQUAL(terms, 2);
    int before = urgents;
    CHECK_EQUAL(raise(SIGURG), 0);
    CHECK_EQUAL(urgents, before + 1);
    CHECK(signal(SIGURG, SIG_DFL) == on_urgent);
    return finish();
}
