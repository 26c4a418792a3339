// Descriptors without a path: eventfd, epoll over a pipe, timerfd, signalfd, memfd; and a device.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "special_descriptors");
    int ends[2], counter = eventfd(5, EFD_SEMAPHORE | EFD_NONBLOCK), poller = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), memory = memfd_create("cache", MFD_CLOEXEC);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
    CHECK_EQUAL(pipe(ends), 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcULL};
    CHECK_EQUAL(epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event), 0);
    struct itimerspec armed = {{7, 0}, {1000, 0}}, now;
    CHECK_EQUAL(timerfd_settime(timer, 0, &armed, NULL), 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_NONBLOCK);
    CHECK_EQUAL(write(memory, "cached", 6), 6);
    watch_descriptor(counter);
    watch_descriptor(poller);
    watch_descriptor(timer);
    watch_descriptor(signals);
    watch_descriptor(memory);
    watch_descriptor(null);
    ready();
    wait_for_go();

    eventfd_t value = 0;
    CHECK_EQUAL(eventfd_read(counter, &value), 0);
    CHECK_EQUAL(value, 1);
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(eventfd_read(counter, &value), 0);
    CHECK_EQUAL(eventfd_read(counter, &value), -1);
    CHECK_EQUAL(epoll_wait(poller, &event, 1, 0), 0);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    CHECK_EQUAL(epoll_wait(poller, &event, 1, 1000), 1);
    CHECK_EQUAL(event.data.u64, 0x123456789abcULL);
    CHECK_EQUAL(timerfd_gettime(timer, &now), 0);
    CHECK_EQUAL(now.it_interval.tv_sec, 7);
    CHECK(now.it_value.tv_sec > 800 && now.it_value.tv_sec <= 1000);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    struct signalfd_siginfo info;
    CHECK_EQUAL(read(signals, &info, sizeof info), sizeof info);
    CHECK_EQUAL(info.ssi_signo, SIGUSR1);
    char got[8] = "";
    CHECK_EQUAL(pread(memory, got, sizeof got, 0), 6);
    CHECK_EQUAL(got[0], 'c');
    CHECK_EQUAL(write(null, got, 6), 6);
    CHECK_EQUAL(read(zero, got, 1), 1);
    CHECK_EQUAL(got[0], 0);
    return finish();
}
