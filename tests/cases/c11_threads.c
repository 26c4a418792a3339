// Threads, locks and conditions of C11, alive and waiting at the cut.
#define _GNU_SOURCE
#include <pthread.h>
#include <threads.h>
#include <time.h>

#include "testcase_mpi.h"

static mtx_t lock, timed;
static cnd_t condition;
static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static int ready_threads, told_to_go, destroyed, once_calls;
static thread_local int own = 3;

static void count_once(void) { ++once_calls; }
static void destroy(void *value) { __atomic_add_fetch(&destroyed, *(int *)value, __ATOMIC_SEQ_CST); }

static int wait_for_word(void *argument) {
    static int mine = 1;
    int number = *(int *)argument;
    pthread_setname_np(pthread_self(), "app-c11");
    own += number;
    CHECK_EQUAL(tss_set(key, &mine), thrd_success);
    call_once(&once, count_once);
    mtx_lock(&lock);
    ++ready_threads;
    while (!told_to_go) CHECK_EQUAL(cnd_wait(&condition, &lock), thrd_success);
    mtx_unlock(&lock);
    CHECK_EQUAL(own, 3 + number);
    CHECK(tss_get(key) == &mine);
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, ++until.tv_sec;
    CHECK_EQUAL(mtx_timedlock(&timed, &until), thrd_timedout);
    if (number == 2) thrd_exit(-7);
    return number - 100;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "c11_threads");
    CHECK_EQUAL(mtx_init(&lock, mtx_plain | mtx_recursive), thrd_success);
    CHECK_EQUAL(mtx_init(&timed, mtx_timed), thrd_success);
    CHECK_EQUAL(cnd_init(&condition), thrd_success);
    CHECK_EQUAL(tss_create(&key, destroy), thrd_success);
    CHECK_EQUAL(mtx_lock(&timed), thrd_success);
    thrd_t threads[3];
    int numbers[3] = {0, 1, 2}, result;
    for (int i = 0; i < 3; ++i) CHECK_EQUAL(thrd_create(&threads[i], wait_for_word, &numbers[i]), thrd_success);
    mtx_lock(&lock);
    while (ready_threads < 3) {
        mtx_unlock(&lock);
        nap();
        mtx_lock(&lock);
    }
    mtx_unlock(&lock);
    ready();
    wait_for_go();
    mtx_lock(&lock);
    told_to_go = 1;
    CHECK_EQUAL(cnd_broadcast(&condition), thrd_success);
    mtx_unlock(&lock);
    for (int i = 0; i < 3; ++i) {
        CHECK_EQUAL(thrd_join(threads[i], &result), thrd_success);
        CHECK_EQUAL(result, i == 2 ? -7 : i - 100);
    }
    CHECK_EQUAL(destroyed, 3);
    CHECK_EQUAL(once_calls, 1);
    return finish();
}
