// Whom a descriptor signals (F_SETOWN, F_SETSIG, O_ASYNC): the process, and one thread of it; the numbers that the
// program knows are good for asking and for setting again.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testcase_mpi.h"

static volatile int for_process, for_thread, the_fd, in_thread;
static volatile pid_t worker;
static pthread_t thread;

static void on_process(int number) {
    (void)number;
    for_process = 1;
}
static void on_thread(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    the_fd = info->si_fd;
    in_thread = pthread_equal(pthread_self(), thread);
    for_thread = 1;
}
static void *work(void *unused) {
    (void)unused;
    pthread_setname_np(pthread_self(), "app-worker");
    worker = gettid();
    while (!for_thread) nap();
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "descriptor_signals");
    int one[2], two[2];
    struct sigaction action = {.sa_sigaction = on_thread, .sa_flags = SA_SIGINFO};
    signal(SIGIO, on_process);
    sigaction(SIGUSR2, &action, NULL);
    CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
    while (!worker) nap();
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
    struct f_owner_ex owner = {F_OWNER_TID, worker}, now;
    CHECK_EQUAL(fcntl(one[0], F_SETOWN, getpid()), 0);
    CHECK_EQUAL(fcntl(one[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQUAL(fcntl(two[0], F_SETOWN_EX, &owner), 0);
    CHECK_EQUAL(fcntl(two[0], F_SETSIG, SIGUSR2), 0);
    CHECK_EQUAL(fcntl(two[0], F_SETFL, O_ASYNC), 0);
    ready();
    wait_for_go();

    CHECK_EQUAL(fcntl(one[0], F_GETOWN), getpid());
    CHECK_EQUAL(fcntl(two[0], F_GETOWN_EX, &now), 0);
    CHECK_EQUAL(now.pid, worker);
    CHECK_EQUAL(write(one[1], "x", 1), 1);
    while (!for_process) nap();
    CHECK_EQUAL(write(two[1], "x", 1), 1);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(the_fd, two[0]);
    CHECK(in_thread);
    for_process = 0;
    CHECK_EQUAL(fcntl(one[0], F_SETOWN, getpid()), 0);
    CHECK_EQUAL(write(one[1], "x", 1), 1);
    while (!for_process) nap();
    return finish();
}
