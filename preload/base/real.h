// The functions that libsckpt.so interposes, as the next library in line defines them: what a wrapper forwards to.
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace sckpt::real {

// Looks all of them up.  To be called once, first of all.
void find_all();

// clang-format off
#define SCKPT_REAL_FUNCTIONS(X)                                                                                        \
    X(pthread_create)                                                                                                  \
    X(sigaction) X(signal) X(sigprocmask) X(pthread_sigmask) X(sigpending) X(sigtimedwait) X(sigwait) X(sigsuspend) X(pause)\
    X(setitimer) X(getitimer) X(timer_create) X(timer_settime) X(timer_delete) X(alarm) X(ualarm) X(timerfd_settime)   \
    X(nanosleep) X(clock_nanosleep) X(usleep) X(sleep) X(poll) X(ppoll) X(select) X(pselect) X(epoll_wait) X(epoll_pwait) X(epoll_pwait2)\
    X(sem_wait) X(sem_timedwait) X(sem_clockwait)                                                                      \
    X(pthread_cond_clockwait) X(pthread_cond_timedwait) X(pthread_mutex_clocklock)                                     \
    X(pthread_mutex_lock) X(pthread_mutex_trylock) X(pthread_mutex_timedlock) X(pthread_mutex_unlock) X(pthread_mutex_consistent)\
    X(pthread_cond_wait) X(pthread_getattr_np) X(pthread_clockjoin_np) X(timer_getoverrun)                             \
    X(recv) X(recvfrom) X(recvmsg) X(send) X(sendto) X(sendmsg) X(connect) X(read) X(write)                            \
    X(semop) X(semtimedop) X(msgsnd) X(msgrcv)                                                                         \
    X(pthread_rwlock_clockrdlock) X(pthread_rwlock_clockwrlock)                                                        \
    X(getpid) X(gettid) X(kill) X(tgkill) X(raise) X(sigqueue) X(pthread_kill) X(pthread_sigqueue) X(pthread_cancel) X(clock_gettime) X(clock_getres) X(clock) X(times) X(getrusage)\
    X(clock_getcpuclockid) X(pthread_setaffinity_np) X(pthread_getaffinity_np)                \
    X(pthread_setschedparam) X(pthread_getschedparam) X(pthread_setschedprio) X(pthread_setname_np) X(pthread_getname_np)\
    X(sched_setaffinity) X(sched_getaffinity) X(sched_setscheduler) X(sched_getscheduler) X(sched_setparam) X(sched_getparam)\
    X(sched_rr_get_interval) X(getpriority) X(setpriority)                                                             \
    X(close) X(fclose) X(open) X(openat) X(creat) X(fopen) X(fopen64) X(freopen) X(freopen64) X(mkstemp) X(mkstemp64)\
    X(socket) X(socketpair) X(accept) X(accept4) X(pipe) X(pipe2) X(eventfd) X(epoll_create) X(epoll_create1)          \
    X(timerfd_create) X(signalfd) X(inotify_init) X(inotify_init1) X(memfd_create) X(dup) X(dup2) X(dup3) X(shm_open)  \
    X(posix_openpt) X(mkostemp) X(mkostemp64) X(mkstemps) X(mkstemps64) X(mkostemps) X(mkostemps64) X(tmpfile) X(opendir)\
    X(fcntl) X(inotify_add_watch) X(readlink) X(readlinkat) X(realpath) X(wait) X(waitpid) X(waitid) X(wait3) X(wait4) X(system) X(pclose)\
    X(shmget) X(shmat) X(shmctl) X(execve) X(execvpe)
// clang-format on

#define X(name) extern decltype(&::name) name;
SCKPT_REAL_FUNCTIONS(X)
#undef X

}  // namespace sckpt::real
