// What a program remembers about itself stays true: process and thread ids, pthread_self, kill to itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

static volatile sig_atomic_t main_hits, other_hits;
static __thread int is_main;
static volatile pid_t thread_id;

static void on_signal(int number) {
    (void)number;
    if (is_main)
        ++main_hits;
    else
        ++other_hits;
}

static void *other(void *unused) {
    (void)unused;
    pthread_setname_np(pthread_self(), "app-other");
    pid_t tid = gettid();
    thread_id = tid;
    wait_for_go();
    CHECK_EQUAL(gettid(), tid);
    while (other_hits < 2) nap();
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "identity_stable");
    is_main = 1;
    signal(SIGUSR1, on_signal);
    pid_t pid = getpid(), tid = gettid();
    pthread_t self = pthread_self(), thread;
    pthread_mutex_t recursive;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &attributes);
    pthread_mutex_lock(&recursive);
    pthread_create(&thread, NULL, other, NULL);
    while (!thread_id) nap();
    ready();
    wait_for_go();

    CHECK_EQUAL(getpid(), pid);
    CHECK_EQUAL(gettid(), tid);
    CHECK(pthread_equal(self, pthread_self()));
    CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
    CHECK_EQUAL(pthread_kill(self, SIGUSR1), 0);
    CHECK_EQUAL(main_hits, 1);
    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    while (other_hits < 1) nap();
    CHECK_EQUAL(tgkill(pid, thread_id, SIGUSR1), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    // Any thread may take this one, a helper thread of MPI too.
    CHECK_EQUAL(kill(pid, SIGUSR1), 0);
    while (main_hits + other_hits < 4) nap();
    return finish();
}
