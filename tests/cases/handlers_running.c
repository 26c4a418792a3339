// Handlers that run at the cut: on an alternate stack, nested, one entered again (SA_NODEFER), one that is gone after its
// first time (SA_RESETHAND), and one that is left by siglongjmp afterwards.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "testcase.h"

enum { kStack = 65536 };
static volatile int inside, again_depth, nested;
static sigjmp_buf place;
static char *main_stack, *thread_stack;

static int is_blocked(int number) {
    sigset_t set;
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
    return sigismember(&set, number);
}
static int on_stack(const char *stack) {
    char here;
    stack_t now;
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    return &here >= stack && &here < stack + kStack && now.ss_sp == stack && now.ss_size == kStack &&
           (now.ss_flags & SS_ONSTACK);
}
static void own_stack(char **stack) {
    *stack = malloc(kStack);
    stack_t given = {.ss_sp = *stack, .ss_size = kStack};
    CHECK_EQUAL(sigaltstack(&given, NULL), 0);
}

static void on_thread(int number, siginfo_t *info, void *context) {
    CHECK(on_stack(thread_stack));
    CHECK_EQUAL(info->si_value.sival_int, 5);
    volatile double value = 1.25;
    __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    wait_for_go();
    CHECK(on_stack(thread_stack));
    CHECK(is_blocked(number) && is_blocked(SIGUSR2) && context != NULL);
    CHECK(value * 4 == 5);
    CHECK_EQUAL(info->si_value.sival_int, 5);
}
static void *work(void *unused) {
    pthread_setname_np(pthread_self(), "app-worker");
    own_stack(&thread_stack);
    CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){.sival_int = 5}), 0);
    CHECK(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
    stack_t now;
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    CHECK(now.ss_sp == thread_stack && now.ss_flags == 0);
    return unused;
}

static void on_inner(int number) {
    CHECK(is_blocked(number));
    nested = 1;
    ready();
    wait_for_go();
    CHECK(on_stack(main_stack));
    siglongjmp(place, 9);
}
static void on_again(int number) {
    CHECK(!is_blocked(number));
    if (++again_depth < 3)
        raise(number);
    else
        raise(SIGWINCH);
    fail("a frame of a handler was come back to that siglongjmp had left");
}
static void on_once(int number) {
    (void)number;
    raise(SIGHUP);
}

int main(void) {
    begin("handlers_running");
    own_stack(&main_stack);
    struct sigaction action = {.sa_sigaction = on_thread, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGWINCH, &(struct sigaction){.sa_handler = on_inner, .sa_flags = SA_ONSTACK}, NULL), 0);
    CHECK_EQUAL(sigaction(SIGHUP, &(struct sigaction){.sa_handler = on_again, .sa_flags = SA_NODEFER}, NULL), 0);
    struct sigaction once = {.sa_handler = on_once, .sa_flags = SA_ONSTACK | (int)SA_RESETHAND}, now;
    CHECK_EQUAL(sigaction(SIGUSR2, &once, NULL), 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
    while (!inside) nap();
    const int jumped = sigsetjmp(place, 1);
    if (!jumped) raise(SIGUSR2);
    CHECK_EQUAL(jumped, 9);
    CHECK(nested && again_depth == 3);
    CHECK(!is_blocked(SIGUSR2) && !is_blocked(SIGWINCH) && !is_blocked(SIGHUP));
    CHECK_EQUAL(sigaction(SIGUSR2, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_DFL);
    // The jump has left the alternate stack, which can be used anew.
    nested = 0;
    CHECK_EQUAL(sigaction(SIGHUP, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), 0);
    CHECK_EQUAL(raise(SIGHUP), 0);
    stack_t off = {.ss_flags = SS_DISABLE};
    CHECK_EQUAL(sigaltstack(&off, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return pass();
}
