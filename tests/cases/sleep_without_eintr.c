// Sleeps that a checkpoint interrupts are not seen to be: nanosleep, clock_nanosleep, poll, sem_timedwait, condition
// wait.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kMilliseconds = 60 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static struct timespec later(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += kMilliseconds * 1000000L;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        ++t.tv_sec;
    }
    return t;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "sleep_without_eintr");
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    int ends[2], poller = epoll_create1(EPOLL_CLOEXEC);
    CHECK_EQUAL(pipe(ends), 0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_EQUAL(epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event), 0);
    ready();
    for (int kind = 0; still_waiting(); kind = (kind + 1) % 7) {
        double began = now();
        struct timespec span = {0, kMilliseconds * 1000000L}, until;
        struct pollfd one = {.fd = ends[0], .events = POLLIN};
        switch (kind) {
            case 0:
                CHECK_EQUAL(nanosleep(&span, NULL), 0);
                break;
            case 1:
                until = later(CLOCK_MONOTONIC);
                CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
                break;
            case 2:
                CHECK_EQUAL(poll(&one, 1, kMilliseconds), 0);
                break;
            case 3:
                until = later(CLOCK_REALTIME);
                CHECK_EQUAL(sem_timedwait(&semaphore, &until), -1);
                CHECK_EQUAL(errno, ETIMEDOUT);
                break;
            case 4:
                until = later(CLOCK_REALTIME);
                pthread_mutex_lock(&mutex);
                CHECK_EQUAL(pthread_cond_timedwait(&condition, &mutex, &until), ETIMEDOUT);
                pthread_mutex_unlock(&mutex);
                break;
            case 5:
                CHECK_EQUAL(epoll_wait(poller, &event, 1, kMilliseconds), 0);
                break;
            default: {
                fd_set set;
                FD_ZERO(&set);
                FD_SET(ends[0], &set);
                struct timeval timeout = {0, kMilliseconds * 1000};
                CHECK_EQUAL(select(ends[0] + 1, &set, NULL, NULL, &timeout), 0);
            }
        }
        if (now() - began < 0.001 * kMilliseconds - 0.002)
            fail("sleep of kind %d took %.4f s, should be %.3f or more", kind, now() - began, 0.001 * kMilliseconds);
    }
    return finish();
}
