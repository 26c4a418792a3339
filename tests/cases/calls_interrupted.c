// Calls that every handler ends with EINTR, SA_RESTART or not: none does for a handler of ours, each does for one of the
// program's, and one that restarts for it goes on.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "testcase.h"

// Of glibc, for what is compiled with _FORTIFY_SOURCE.
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict buffer, size_t size, size_t room, int flags,
                       struct sockaddr *restrict from, socklen_t *restrict length);

static int semaphores, queue, full_queue, timed[2], full[2], pipes[2], lines[2];
static FILE *stream;
static volatile int handled, started, ended, told;
static __thread volatile int handled_here;

static void on_signal(int number) {
    (void)number;
    ++handled_here;
    ++handled;
}

static long in_semop(void) {
    struct sembuf down = {0, -1, 0};
    return semop(semaphores, &down, 1);
}
static long in_semtimedop(void) {
    struct sembuf down = {0, -1, 0};
    const struct timespec limit = {1000, 0};
    return semtimedop(semaphores, &down, 1, &limit);
}
static long in_msgrcv(void) {
    struct {
        long type;
        char text[8];
    } message;
    return msgrcv(queue, &message, sizeof message.text, 1, 0);
}
static long in_recv(void) {
    char byte;
    return recv(timed[0], &byte, 1, 0);
}
static long in_recv_as_read(void) {
    char byte;
    return read(timed[0], &byte, 1);
}
static long in_recvmsg(void) {
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg(timed[0], &message, 0);
}
static long in_checked_read(void) {
    char byte;
    return __read_chk(timed[0], &byte, 1, 1);
}
static long in_checked_recv(void) {
    char byte;
    return __recv_chk(timed[0], &byte, 1, 1, 0);
}
static long in_checked_recvfrom(void) {
    char byte;
    return __recvfrom_chk(timed[0], &byte, 1, 1, 0, NULL, NULL);
}
static long in_sendto(void) { return sendto(full[0], "x", 1, 0, NULL, 0); }
struct text {
    long type;
    char text[1024];
};
static long in_msgsnd(void) {
    const struct text message = {.type = 1};
    return msgsnd(full_queue, &message, sizeof message.text, 0);
}
// These two are ended by a handler that has not asked for SA_RESTART only.
static long in_read(void) {
    char byte;
    return read(pipes[0], &byte, 1);
}
static long in_getc(void) {
    errno = 0;
    return getc(stream) == EOF ? -1 : 0;
}
static long (*const calls[])(void) = {in_semop,        in_semtimedop,   in_msgrcv,           in_recv,   in_recv_as_read,
                                     in_recvmsg,      in_checked_read, in_checked_recv,     in_sendto, in_msgsnd,
                                     in_checked_recvfrom, in_read,     in_getc};
enum { kCalls = sizeof calls / sizeof *calls };

static void *run(void *argument) {
    long (*const call)(void) = calls[(intptr_t)argument];
    pthread_setname_np(pthread_self(), "app-caller");
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(call(), -1);
    CHECK_EQUAL(errno, EINTR);
    if (!told) fail("call %d was ended with EINTR by no signal of the program", (int)(intptr_t)argument);
    CHECK_EQUAL(handled_here, 1);
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

int main(void) {
    begin("calls_interrupted");
    // SIGTERM is what checkpoints use as well; SIGUSR1 restarts, which these calls do not care about.
    struct sigaction action = {.sa_handler = on_signal}, restarting = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_EQUAL(sigaction(SIGTERM, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGURG, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &restarting, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(semaphores >= 0 && queue >= 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, timed), 0);
    const struct timeval limit = {1000, 0};
    CHECK_EQUAL(setsockopt(timed[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, full), 0);
    CHECK_EQUAL(setsockopt(full[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    while (send(full[0], "x", 1, MSG_DONTWAIT) == 1) {
    }
    CHECK_EQUAL(errno, EAGAIN);
    full_queue = msgget(IPC_PRIVATE, 0600);
    const struct text message = {.type = 1};
    while (msgsnd(full_queue, &message, sizeof message.text, IPC_NOWAIT) == 0) {
    }
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(pipe(pipes), 0);
    CHECK_EQUAL(pipe(lines), 0);
    stream = fdopen(lines[0], "r");
    CHECK(stream != NULL);
    pthread_t threads[kCalls];
    for (intptr_t i = 0; i < kCalls; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, run, (void *)i), 0);
    while (started < kCalls) nap();
    for (int i = 0; i < 20; ++i) nap();
    ready();
    wait_for_go();
    CHECK_EQUAL(ended, 0);
    CHECK_EQUAL(handled, 0);
    told = 1;
    for (int i = 0; i < kCalls; ++i) {
        const bool restarts = calls[i] == in_read || calls[i] == in_getc;
        CHECK_EQUAL(pthread_kill(threads[i], restarts ? SIGUSR2 : SIGUSR1), 0);
    }
    for (int i = 0; i < kCalls; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    CHECK_EQUAL(semctl(semaphores, 0, IPC_RMID), 0);
    CHECK_EQUAL(msgctl(queue, IPC_RMID, NULL), 0);
    CHECK_EQUAL(msgctl(full_queue, IPC_RMID, NULL), 0);
    return pass();
}
