// An epoll set inside another one, with data of its own, edge and one-shot states; also a set that a thread waits in.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "testcase_mpi.h"

static int waited;

static void *wait_in(void *unused) {
    struct epoll_event event = {0};
    (void)unused;
    pthread_setname_np(pthread_self(), "app-waiter");
    CHECK_EQUAL(epoll_wait(waited, &event, 1, -1), 1);
    CHECK_EQUAL(event.data.u64, 77);
    return NULL;
}

static void add(int set, int fd, unsigned events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    CHECK_EQUAL(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "epoll_nested");
    int outer = epoll_create1(0), inner = epoll_create1(EPOLL_CLOEXEC), ends[2], once[2];
    struct epoll_event got;
    pthread_t thread;
    waited = epoll_create1(0);
    int wake = eventfd(0, 0);
    CHECK(pipe(ends) == 0 && pipe(once) == 0);
    add(inner, ends[0], EPOLLIN | EPOLLET, 0xdeadbeefcafeULL);
    add(outer, inner, EPOLLIN, 2);
    add(outer, once[0], EPOLLIN | EPOLLONESHOT, 3);
    add(waited, wake, EPOLLIN, 77);
    CHECK_EQUAL(write(once[1], "x", 1), 1);
    CHECK_EQUAL(epoll_wait(outer, &got, 1, 1000), 1);  // from here on the one shot is gone
    CHECK_EQUAL(got.data.u64, 3);
    CHECK_EQUAL(pthread_create(&thread, NULL, wait_in, NULL), 0);
    watch_descriptor(outer);
    watch_descriptor(inner);
    ready();
    wait_for_go();

    CHECK_EQUAL(epoll_wait(outer, &got, 1, 0), 0);
    CHECK_EQUAL(write(ends[1], "y", 1), 1);
    CHECK_EQUAL(epoll_wait(outer, &got, 1, 1000), 1);
    CHECK_EQUAL(got.data.u64, 2);
    CHECK_EQUAL(epoll_wait(inner, &got, 1, 1000), 1);
    CHECK(got.data.u64 == 0xdeadbeefcafeULL);
    got = (struct epoll_event){.events = EPOLLIN, .data.u64 = 4};
    CHECK_EQUAL(epoll_ctl(outer, EPOLL_CTL_MOD, once[0], &got), 0);
    CHECK_EQUAL(epoll_wait(outer, &got, 1, 1000), 1);
    CHECK_EQUAL(got.data.u64, 4);
    CHECK_EQUAL(eventfd_write(wake, 1), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    return finish();
}
