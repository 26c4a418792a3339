// Functions that are given the id of a process or a thread, with the ids that the program remembers from before the
// restart: each answers for the same thread, and a wrong id is still a wrong one.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

static volatile pid_t worker;
static pthread_t thread;

static void *work(void *unused) {
    (void)unused;
    pthread_setname_np(pthread_self(), "app-worker");
    worker = gettid();
    for (;;) {
        pthread_testcancel();
        nap();
    }
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "names_of_scheduling");
    const pid_t process = getpid();
    CHECK_EQUAL(pthread_create(&thread, NULL, work, NULL), 0);
    while (!worker) nap();
    struct sched_param none = {0}, got = {-1};
    ready();
    wait_for_go();

    char name[16] = "";
    struct timespec span = {-1, -1}, used;
    clockid_t clock;
    int policy = -1;
    cpu_set_t set;
    CHECK_EQUAL(sched_setscheduler(worker, SCHED_BATCH, &none), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, worker, 3), 0);
    CHECK_EQUAL(sched_getscheduler(worker), SCHED_BATCH);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, worker), 3);
    CHECK_EQUAL(sched_getparam(worker, &got), 0);
    CHECK_EQUAL(got.sched_priority, 0);
    CHECK_EQUAL(sched_setparam(worker, &none), 0);
    CHECK_EQUAL(sched_rr_get_interval(worker, &span), 0);
    CHECK(span.tv_sec >= 0);
    CHECK_EQUAL(sched_getaffinity(process, sizeof set, &set), 0);
    CHECK_EQUAL(sched_setaffinity(worker, sizeof set, &set), 0);
    CHECK_EQUAL(clock_getcpuclockid(process, &clock), 0);
    CHECK_EQUAL(clock_gettime(clock, &used), 0);
    CHECK_EQUAL(pthread_getname_np(thread, name, sizeof name), 0);
    CHECK(strcmp(name, "app-worker") == 0);
    CHECK_EQUAL(pthread_getschedparam(thread, &policy, &got), 0);
    CHECK_EQUAL(policy, SCHED_BATCH);
    CHECK_EQUAL(pthread_setschedparam(thread, SCHED_OTHER, &none), 0);
    CHECK_EQUAL(sched_getscheduler(worker), SCHED_OTHER);
    CHECK_EQUAL(pthread_setschedprio(thread, 0), 0);
    CHECK_EQUAL(pthread_cancel(thread), 0);
    void *result;
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQUAL(sched_getscheduler(worker), -1);
    CHECK_EQUAL(errno, ESRCH);
    return finish();
}
