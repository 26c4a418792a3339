// A thread in a timed wait on CLOCK_MONOTONIC waits for what was left, wherever the new node's clock stands.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "testcase_mpi.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *wait_for_a_while(void *unused) {
    (void)unused;
    pthread_setname_np(pthread_self(), "app-waiter");
    struct timespec until, now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 5;
    int error = 0;
    pthread_mutex_lock(&mutex);
    while (error == 0) error = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&mutex);
    CHECK_EQUAL(error, ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &now);
    double late = (double)(now.tv_sec - until.tv_sec) + 1e-9 * (double)(now.tv_nsec - until.tv_nsec);
    if (late < 0 || late > 5) fail("the wait ended %.3f s after its deadline", late);
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "deadline_monotonic");
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, wait_for_a_while, NULL), 0);
    ready();
    wait_for_go();
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return finish();
}
