// The functions that libsckpt.so interposes, as the next library in line defines them: what a wrapper forwards to.
#pragma once

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace sckpt::real {

// Looks all of them up.  To be called once, first of all.
void find_all();

#define SCKPT_REAL_FUNCTIONS(X)                                                                                   \
    X(pthread_create)                                                                                             \
    X(sigaction) X(signal) X(sigprocmask) X(pthread_sigmask)                                                      \
    X(setitimer) X(getitimer) X(timer_create) X(timer_settime) X(timer_delete) X(alarm)                           \
    X(nanosleep) X(clock_nanosleep) X(usleep) X(sleep) X(poll) X(ppoll) X(select) X(pselect)                      \
    X(epoll_wait) X(epoll_pwait)                                                                                  \
    X(getpid) X(gettid) X(kill) X(pthread_kill) X(clock_gettime)

#define X(name) extern decltype(&::name) name;
SCKPT_REAL_FUNCTIONS(X)
#undef X

}  // namespace sckpt::real
