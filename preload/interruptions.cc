// Waits that end with EINTR whenever a handler has run, SA_RESTART or not (signal(7)): after a handler of ours alone
// they go on for the time that is left, so that a program sees no interruption that a native run would not have shown.
//
// A thread in one of these calls is not Busy: it can be parked there.  Times are taken on the program's clock, so that
// a restored call waits for what was left at the cut. When the call is made again, a signal of the application that
// comes between the two must end it as it would have ended the first: all signals are blocked, the counter is looked
// at, and the kernel unblocks them inside the call.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "preload/deadlines.h"
#include "preload/interruption.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

int interrupted() {
    errno = EINTR;
    return -1;
}

// Makes a wait again with signals blocked around it.  `again` gets the mask for the duration of the wait.
template <class Again>
int repeat(int result, const Interruption &state, Again again) {
    while (result < 0 && state.ours_only()) {
        SignalsBlocked blocked;
        if (state.application_too()) return interrupted();
        std::uint64_t before = blocked.before();
        const sigset_t mask = to_set(before);
        result = undone_when_cancelled(give_mask_back, &before, [&] { return again(mask); });
    }
    return result;
}

// For calls that have a mask of their own: what it says about hidden signals holds while they wait.
class MaskMeanwhile {
  public:
    explicit MaskMeanwhile(const sigset_t *given) {
        if (!given) return;
        const std::uint64_t hidden = hidden_signals();
        before_ = virtually_blocked();
        kernel_ = to_set(to_bits(*given) & ~hidden);
        set_virtually_blocked(to_bits(*given) & hidden);
        given_ = true;
        if (pending_hidden() & ~to_bits(*given)) deliver_pending(nullptr);
    }
    ~MaskMeanwhile() { give_back(this); }
    // Also when the thread is cancelled, which is what the calls with a mask are wrapped in.
    static void give_back(void *one) {
        auto *meanwhile = static_cast<MaskMeanwhile *>(one);
        if (meanwhile->given_) set_virtually_blocked(meanwhile->before_);
    }
    MaskMeanwhile(const MaskMeanwhile &) = delete;
    MaskMeanwhile &operator=(const MaskMeanwhile &) = delete;
    const sigset_t *get() const { return given_ ? &kernel_ : nullptr; }

  private:
    bool given_ = false;
    std::uint64_t before_ = 0;
    sigset_t kernel_{};
};

// The end of a wait by the program's clock, and what is left until then.
class Span {
  public:
    explicit Span(std::int64_t ns) : end_(ns < 0 ? -1 : program_time(CLOCK_MONOTONIC) + ns) {}
    bool endless() const { return end_ < 0; }
    std::int64_t left() const {
        const std::int64_t ns = end_ - program_time(CLOCK_MONOTONIC);
        return ns > 0 ? ns : 0;
    }

  private:
    std::int64_t end_;
};

std::int64_t ns_or_endless(const timespec *time) { return time ? to_ns(*time) : -1; }
int milliseconds(std::int64_t ns) { return static_cast<int>((ns + 999'999) / 1'000'000); }

bool valid(const timespec &time) { return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < kSecondNs; }

int poll_again(pollfd *list, nfds_t count, const Span &span, const sigset_t *mask) {
    const timespec left = span.endless() ? timespec{} : to_timespec(span.left());
    return real::ppoll(list, count, span.endless() ? nullptr : &left, mask);
}

// nanosleep(2) and clock_nanosleep(2) in one: the result is an error number.
int sleep_on(clockid_t clock, int flags, const timespec *wanted, timespec *left) {
    const bool absolute = flags & TIMER_ABSTIME;
    // CPU-time clocks stand still while nothing runs: the kernel's own remainder is right for them.
    const bool own_remainder = !absolute && (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID);
    const clockid_t measured = absolute || own_remainder ? clock : CLOCK_MONOTONIC;
    Interruption state;
    timespec next = *wanted;
    const std::int64_t end = absolute ? to_ns(*wanted) : own_remainder ? 0 : program_time(measured) + to_ns(*wanted);
    for (;;) {
        timespec rest = next;
        const KernelClock kernel = kernel_clock(clock);
        if (absolute) next = to_timespec(end - kernel.shift);
        const int error = real::clock_nanosleep(kernel.id, flags, &next, absolute ? nullptr : &rest);
        errno = error;
        if (error != EINTR || !state.ours_only()) {
            if (error == EINTR && left && !absolute) *left = rest;
            return error;
        }
        if (own_remainder) next = rest;
        if (!absolute && !own_remainder) next = to_timespec(end - program_time(measured));
    }
}

}  // namespace
}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int nanosleep(const timespec *wanted, timespec *left) {
    if (!recording() || !wanted || !valid(*wanted)) return real::nanosleep(wanted, left);
    const int saved = errno;
    const int error = sleep_on(CLOCK_MONOTONIC, 0, wanted, left);
    errno = error ? error : saved;
    return error ? -1 : 0;
}

SCKPT_WRAPPER int clock_nanosleep(clockid_t clock, int flags, const timespec *wanted, timespec *left) {
    if (!recording() || !wanted || !valid(*wanted)) return real::clock_nanosleep(clock, flags, wanted, left);
    const int saved = errno;
    const int error = sleep_on(clock, flags, wanted, left);
    errno = saved;
    return error;
}

SCKPT_WRAPPER int usleep(useconds_t microseconds) {
    if (!recording()) return real::usleep(microseconds);
    const timespec wanted = to_timespec(static_cast<std::int64_t>(microseconds) * 1000);
    return nanosleep(&wanted, nullptr);
}

SCKPT_WRAPPER unsigned sleep(unsigned seconds) {
    if (!recording()) return real::sleep(seconds);
    timespec wanted{static_cast<time_t>(seconds), 0}, left{};
    if (nanosleep(&wanted, &left) == 0) return 0;
    return static_cast<unsigned>(left.tv_sec + (left.tv_nsec >= kSecondNs / 2));
}

SCKPT_WRAPPER int thrd_sleep(const timespec *wanted, timespec *left) {
    recording();
    const int error = sleep_on(CLOCK_REALTIME, 0, wanted, left);
    return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

SCKPT_WRAPPER int poll(pollfd *list, nfds_t count, int timeout) {
    if (!recording() || timeout == 0) return real::poll(list, count, timeout);
    Interruption state;
    const Span span(timeout < 0 ? -1 : timeout * 1'000'000ll);
    return repeat(real::poll(list, count, timeout), state,
                  [&](const sigset_t &mask) { return poll_again(list, count, span, &mask); });
}
SCKPT_WRAPPER int __poll_chk(pollfd *list, nfds_t count, int timeout, size_t size) {
    if (size / sizeof *list < count) abort();
    return poll(list, count, timeout);
}

SCKPT_WRAPPER int ppoll(pollfd *list, nfds_t count, const timespec *timeout, const sigset_t *mask) {
    if (!recording() || (timeout && !valid(*timeout))) return real::ppoll(list, count, timeout, mask);
    Interruption state;
    const Span span(ns_or_endless(timeout));
    MaskMeanwhile meanwhile(mask);
    if (state.application_too()) return interrupted();
    return undone_when_cancelled(MaskMeanwhile::give_back, &meanwhile, [&] {
        return repeat(real::ppoll(list, count, timeout, meanwhile.get()), state, [&](const sigset_t &current) {
            return poll_again(list, count, span, mask ? meanwhile.get() : &current);
        });
    });
}
SCKPT_WRAPPER int __ppoll_chk(pollfd *list, nfds_t count, const timespec *timeout, const sigset_t *mask, size_t size) {
    if (size / sizeof *list < count) abort();
    return ppoll(list, count, timeout, mask);
}

SCKPT_WRAPPER int select(int count, fd_set *read, fd_set *write, fd_set *except, timeval *timeout) {
    if (!recording()) return real::select(count, read, write, except, timeout);
    if (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0))
        return real::select(count, read, write, except, timeout);
    Interruption state;
    const Span span(timeout ? timeout->tv_sec * kSecondNs + timeout->tv_usec * 1000 : -1);
    const int first = real::select(count, read, write, except, timeout);
    bool again = false;
    const int result = repeat(first, state, [&](const sigset_t &mask) {
        again = true;
        const timespec left = span.endless() ? timespec{} : to_timespec(span.left());
        return real::pselect(count, read, write, except, span.endless() ? nullptr : &left, &mask);
    });
    // Linux tells what is left of the time.
    if (again && timeout) {
        const std::int64_t left = span.left();
        *timeout = {left / kSecondNs, left % kSecondNs / 1000};
    }
    return result;
}

SCKPT_WRAPPER int pselect(int count, fd_set *read, fd_set *write, fd_set *except, const timespec *timeout,
                          const sigset_t *mask) {
    if (!recording() || (timeout && !valid(*timeout))) return real::pselect(count, read, write, except, timeout, mask);
    Interruption state;
    const Span span(ns_or_endless(timeout));
    MaskMeanwhile meanwhile(mask);
    if (state.application_too()) return interrupted();
    return undone_when_cancelled(MaskMeanwhile::give_back, &meanwhile, [&] {
        const int first = real::pselect(count, read, write, except, timeout, meanwhile.get());
        return repeat(first, state, [&](const sigset_t &current) {
            const timespec left = span.endless() ? timespec{} : to_timespec(span.left());
            return real::pselect(count, read, write, except, span.endless() ? nullptr : &left,
                                 mask ? meanwhile.get() : &current);
        });
    });
}

SCKPT_WRAPPER int epoll_pwait(int poller, epoll_event *events, int capacity, int timeout, const sigset_t *mask) {
    if (!recording() || (timeout == 0 && !mask)) return real::epoll_pwait(poller, events, capacity, timeout, mask);
    Interruption state;
    const Span span(timeout < 0 ? -1 : timeout * 1'000'000ll);
    MaskMeanwhile meanwhile(mask);
    if (state.application_too()) return interrupted();
    return undone_when_cancelled(MaskMeanwhile::give_back, &meanwhile, [&] {
        const int first = real::epoll_pwait(poller, events, capacity, timeout, meanwhile.get());
        return repeat(first, state, [&](const sigset_t &current) {
            const int left = span.endless() ? -1 : milliseconds(span.left());
            return real::epoll_pwait(poller, events, capacity, left, mask ? meanwhile.get() : &current);
        });
    });
}
SCKPT_WRAPPER int epoll_wait(int poller, epoll_event *events, int capacity, int timeout) {
    return epoll_pwait(poller, events, capacity, timeout, nullptr);
}

SCKPT_WRAPPER int epoll_pwait2(int poller, epoll_event *events, int capacity, const timespec *timeout,
                               const sigset_t *mask) {
    if (!recording() || (timeout && !valid(*timeout)))
        return real::epoll_pwait2(poller, events, capacity, timeout, mask);
    Interruption state;
    const Span span(ns_or_endless(timeout));
    MaskMeanwhile meanwhile(mask);
    if (state.application_too()) return interrupted();
    return undone_when_cancelled(MaskMeanwhile::give_back, &meanwhile, [&] {
        const int first = real::epoll_pwait2(poller, events, capacity, timeout, meanwhile.get());
        return repeat(first, state, [&](const sigset_t &current) {
            const timespec left = to_timespec(span.endless() ? 0 : span.left());
            return real::epoll_pwait2(poller, events, capacity, span.endless() ? nullptr : &left,
                                      mask ? meanwhile.get() : &current);
        });
    });
}

SCKPT_WRAPPER int sem_wait(sem_t *semaphore) {
    if (!recording()) return real::sem_wait(semaphore);
    return uninterrupted([&] { return real::sem_wait(semaphore); });
}

SCKPT_WRAPPER int sem_timedwait(sem_t *semaphore, const timespec *deadline) {
    if (!recording()) return real::sem_timedwait(semaphore, deadline);
    return uninterrupted([&] { return real::sem_timedwait(semaphore, deadline); });
}

SCKPT_WRAPPER int sem_clockwait(sem_t *semaphore, clockid_t clock, const timespec *deadline) {
    if (!recording()) return real::sem_clockwait(semaphore, clock, deadline);
    return wait_until(clock, deadline, [&](const timespec *kernel) {
        return uninterrupted([&] { return real::sem_clockwait(semaphore, clock, kernel); });
    });
}

namespace {

int suspend(const sigset_t *given) {
    Interruption state;
    MaskMeanwhile meanwhile(given);
    for (;;) {
        SignalsBlocked blocked;
        if (state.application_too()) return interrupted();
        std::uint64_t before = blocked.before();
        const sigset_t set = to_set(given ? to_bits(*meanwhile.get()) : before);
        undone_when_cancelled(MaskMeanwhile::give_back, &meanwhile, [&] {
            return undone_when_cancelled(give_mask_back, &before, [&] { return real::sigsuspend(&set); });
        });
        // Something else than a handler of ours has ended it: a stop and continue, say.
        if (!state.ours_only()) return interrupted();
    }
}

}  // namespace

// The two that share the name sigpause(3): of BSD, with a mask of the first 32 signals, and of System V, with the one
// signal to let through.
extern "C" int bsd_sigpause(int mask) asm("sigpause");
SCKPT_WRAPPER int bsd_sigpause(int mask) {
    const sigset_t set = to_set(static_cast<std::uint32_t>(mask));
    return sigsuspend(&set);
}
SCKPT_WRAPPER int sigpause(int number) {  // signal.h calls it __xpg_sigpause
    sigset_t set;
    if (pthread_sigmask(SIG_BLOCK, nullptr, &set) != 0 || sigdelset(&set, number) != 0) return -1;
    return sigsuspend(&set);
}
SCKPT_WRAPPER int pause() { return recording() ? suspend(nullptr) : real::pause(); }
SCKPT_WRAPPER int sigsuspend(const sigset_t *mask) { return recording() ? suspend(mask) : real::sigsuspend(mask); }
