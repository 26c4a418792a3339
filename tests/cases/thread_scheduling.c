// What a program has set for single threads stays theirs: processors, nice value, policy, timer slack.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kThreads = 3 };
static pthread_barrier_t set, done;
static cpu_set_t all, wanted[kThreads];

static void *work(void *argument) {
    const int number = (int)(intptr_t)argument;
    pthread_setname_np(pthread_self(), "app-worker");
    const struct sched_param none = {0};
    if (number == 0) CHECK_EQUAL(pthread_setaffinity_np(pthread_self(), sizeof wanted[0], &wanted[0]), 0);
    if (number == 1) CHECK_EQUAL(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, syscall(SYS_gettid), number + 2), 0);
    if (number == 2) CHECK_EQUAL(prctl(PR_SET_TIMERSLACK, 777777), 0);
    pthread_barrier_wait(&set);
    wait_for_go();
    cpu_set_t now;
    CHECK_EQUAL(sched_getaffinity(0, sizeof now, &now), 0);
    CHECK(CPU_EQUAL(&now, &wanted[number]));
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), number + 2);
    CHECK_EQUAL(sched_getscheduler(0), number == 1 ? SCHED_BATCH : SCHED_OTHER);
    CHECK_EQUAL(prctl(PR_GET_TIMERSLACK), number == 2 ? 777777 : 50000);
    pthread_barrier_wait(&done);
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "thread_scheduling");
    pthread_barrier_init(&set, NULL, kThreads + 1);
    pthread_barrier_init(&done, NULL, kThreads + 1);
    CHECK_EQUAL(sched_getaffinity(0, sizeof all, &all), 0);
    int first = 0, last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(first, &all)) ++first;
    while (!CPU_ISSET(last, &all)) --last;
    for (int i = 0; i < kThreads; ++i) wanted[i] = all;
    CPU_ZERO(&wanted[0]);
    CPU_SET(first, &wanted[0]);
    CPU_ZERO(&wanted[2]);
    CPU_SET(last, &wanted[2]);
    pthread_t threads[kThreads];
    for (intptr_t i = 0; i < kThreads; ++i) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        if (i == 2) CHECK_EQUAL(pthread_attr_setaffinity_np(&attributes, sizeof wanted[2], &wanted[2]), 0);
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, work, (void *)i), 0);
        pthread_attr_destroy(&attributes);
    }
    pthread_barrier_wait(&set);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, 1), 0);
    CHECK_EQUAL(sched_setaffinity(0, sizeof wanted[2], &wanted[2]), 0);
    ready();
    wait_for_go();
    cpu_set_t now;
    CHECK_EQUAL(sched_getaffinity(0, sizeof now, &now), 0);
    CHECK(CPU_EQUAL(&now, &wanted[2]));
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 1);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
    pthread_barrier_wait(&done);
    for (int i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    return finish();
}
