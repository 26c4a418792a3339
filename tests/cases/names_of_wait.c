// Ways to wait that no other case uses, each for a moment after a restart, with a condition that comes true by another
// thread or by time; and ways to wait for a child.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "testcase_mpi.h"

// What the compiler puts in their place when it checks sizes.
int __poll_chk(struct pollfd *list, nfds_t count, int timeout, size_t size);
int __ppoll_chk(struct pollfd *list, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t size);
ssize_t __readlink_chk(const char *path, char *buffer, size_t length, size_t size);
ssize_t __readlinkat_chk(int directory, const char *path, char *buffer, size_t length, size_t size);
char *__realpath_chk(const char *path, char *resolved, size_t size);

static sem_t semaphore;

static void *post(void *unused) {
    (void)unused;
    nap();
    CHECK_EQUAL(sem_post(&semaphore), 0);
    return NULL;
}
static struct timespec soon(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now.tv_nsec += 10000000;
    if (now.tv_nsec >= 1000000000) ++now.tv_sec, now.tv_nsec -= 1000000000;
    return now;
}
static void *try_locks(void *locks) {
    struct timespec at = soon();
    CHECK_EQUAL(pthread_mutex_clocklock(((void **)locks)[0], CLOCK_MONOTONIC, &at), ETIMEDOUT);
    CHECK_EQUAL(pthread_rwlock_clockrdlock(((void **)locks)[1], CLOCK_MONOTONIC, &at), ETIMEDOUT);
    CHECK_EQUAL(pthread_rwlock_clockwrlock(((void **)locks)[1], CLOCK_MONOTONIC, &at), ETIMEDOUT);
    return NULL;
}
static pid_t child(int code) {
    pid_t pid = fork();
    if (pid == 0) _exit(code);
    return pid;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "names_of_wait");
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_t thread;
    CHECK_EQUAL(sem_init(&semaphore, 0, 0), 0);
    CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
    CHECK_EQUAL(pthread_rwlock_wrlock(&rwlock), 0);
    int set = epoll_create1(0), event = eventfd(0, 0), status = -1;
    struct epoll_event wanted = {.events = EPOLLIN};
    CHECK_EQUAL(epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted), 0);
    ready();
    wait_for_go();

    CHECK_EQUAL(pthread_create(&thread, NULL, post, NULL), 0);
    CHECK_EQUAL(sem_wait(&semaphore), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    void *locks[] = {&mutex, &rwlock};
    CHECK_EQUAL(pthread_create(&thread, NULL, try_locks, locks), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    const struct timespec moment = {0, 10000000};
    CHECK_EQUAL(epoll_pwait(set, &wanted, 1, 10, NULL), 0);
    CHECK_EQUAL(epoll_pwait2(set, &wanted, 1, &moment, NULL), 0);
    struct pollfd list = {.fd = event, .events = POLLIN};
    CHECK_EQUAL(__poll_chk(&list, 1, 10, sizeof list), 0);
    CHECK_EQUAL(__ppoll_chk(&list, 1, &moment, NULL, sizeof list), 0);
    CHECK_EQUAL(eventfd_write(event, 1), 0);
    CHECK_EQUAL(epoll_pwait(set, &wanted, 1, -1, NULL), 1);
    CHECK_EQUAL(epoll_pwait2(set, &wanted, 1, NULL, NULL), 1);
    CHECK_EQUAL(sleep(0), 0);
    CHECK_EQUAL(thrd_sleep(&moment, NULL), 0);
    struct rusage usage;
    CHECK(child(4) > 0);
    CHECK(wait3(&status, 0, &usage) > 0);
    CHECK_EQUAL(WEXITSTATUS(status), 4);
    pid_t pid = child(5);
    CHECK_EQUAL(wait4(pid, &status, 0, &usage), pid);
    CHECK_EQUAL(WEXITSTATUS(status), 5);
    char got[PATH_MAX] = "";
    CHECK(__readlink_chk("/proc/self/exe", got, sizeof got - 1, sizeof got) > 0);
    CHECK(strstr(got, "/names_of_wait"));
    memset(got, 0, sizeof got);
    CHECK(__readlinkat_chk(-100, "/proc/self/exe", got, sizeof got - 1, sizeof got) > 0);
    CHECK(strstr(got, "/names_of_wait"));
    CHECK(__realpath_chk("/proc/self/exe", got, sizeof got) == got);
    CHECK(strstr(got, "/names_of_wait"));
    return finish();
}
