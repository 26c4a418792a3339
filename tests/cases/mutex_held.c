// Mutexes that know their owner are held over the cut, by the main thread and by another one: the owner stays the
// owner, whatever the kernel calls the thread now.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

#include "testcase_mpi.h"

static const int kinds[] = {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
enum { kKinds = sizeof kinds / sizeof *kinds };
static pthread_mutex_t of_main[kKinds], of_other[kKinds];
static pthread_barrier_t held, looked;

static void take(pthread_mutex_t *mutexes) {
    for (int i = 0; i < kKinds; ++i) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, kinds[i]);
        pthread_mutex_init(&mutexes[i], &attributes);
        CHECK_EQUAL(pthread_mutex_lock(&mutexes[i]), 0);
    }
}

static void check_owned(pthread_mutex_t *mine) {
    CHECK_EQUAL(pthread_mutex_lock(&mine[0]), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&mine[0]), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mine[1]), EDEADLK);
}

static void check_foreign(pthread_mutex_t *others) {
    for (int i = 0; i < kKinds; ++i) CHECK_EQUAL(pthread_mutex_trylock(&others[i]), EBUSY);
    CHECK_EQUAL(pthread_mutex_unlock(&others[0]), EPERM);
    CHECK_EQUAL(pthread_mutex_unlock(&others[1]), EPERM);
}

static void release(pthread_mutex_t *mine) {
    for (int i = 0; i < kKinds; ++i) CHECK_EQUAL(pthread_mutex_unlock(&mine[i]), 0);
}

static void *other(void *unused) {
    pthread_setname_np(pthread_self(), "app-other");
    take(of_other);
    pthread_barrier_wait(&held);
    wait_for_go();
    check_owned(of_other);
    check_foreign(of_main);
    pthread_barrier_wait(&looked);
    release(of_other);
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mutex_held");
    pthread_barrier_init(&held, NULL, 2);
    pthread_barrier_init(&looked, NULL, 2);
    take(of_main);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, other, NULL), 0);
    pthread_barrier_wait(&held);
    ready();
    wait_for_go();
    check_owned(of_main);
    check_foreign(of_other);
    pthread_barrier_wait(&looked);
    release(of_main);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    for (int i = 0; i < kKinds; ++i) CHECK_EQUAL(pthread_mutex_lock(&of_other[i]), 0);
    return finish();
}
