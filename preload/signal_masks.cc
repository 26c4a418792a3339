// Masks of signals, and waiting for them.  The hidden signals are never blocked in the kernel: what the application
// believes is kept per thread (ThreadRecord::virtual_blocked) and reported back.  It is kept before they are hidden,
// too, for threads that exist when the process becomes a rank.
#include <errno.h>
#include <string.h>

#include "preload/deadlines.h"
#include "preload/resources.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

int change_mask(int how, const sigset_t *set, sigset_t *old) {
    std::uint64_t unblocked = 0;
    int error = 0;
    {
        Busy busy;
        const std::uint64_t hidden = hidden_signals(), before = virtually_blocked();
        const sigset_t given = set ? to_set(to_bits(*set) & ~hidden) : sigset_t{};
        const std::uint64_t wanted = set ? to_bits(*set) & all_hidden_signals() : 0;
        error = real::pthread_sigmask(how, set ? &given : nullptr, old);
        if (error) return error;
        if (old) *old = to_set(to_bits(*old) | before);
        if (!set) return 0;
        const std::uint64_t now = how == SIG_BLOCK ? before | wanted : how == SIG_UNBLOCK ? before & ~wanted : wanted;
        set_virtually_blocked(now);
        unblocked = before & ~now;
    }
    if (unblocked & pending_hidden()) deliver_pending(nullptr);
    return 0;
}

// sigtimedwait(2) when hidden signals are waited for.  They are blocked in the kernel and in its set for as long as it
// waits, so that none can slip in between the question and the wait; what comes is handed to our handler by sending it
// again, and the answer of that is looked at the next time round.
class HiddenWait {
  public:
    explicit HiddenWait(std::uint64_t asked) : waiter_(asked) {}
    ~HiddenWait() { unblock(); }
    void block() {
        const std::uint64_t hidden = hidden_signals();
        system_call(SYS_rt_sigprocmask, SIG_BLOCK, as_long(&hidden), as_long(&before_), 8);
        blocked_ = true;
    }
    void unblock() {
        if (blocked_) system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&before_), 0, 8);
        blocked_ = false;
    }
    // When the thread is cancelled, in place of the destructor.
    static void end(void *one) {
        auto *wait = static_cast<HiddenWait *>(one);
        wait->unblock();
        wait->waiter_.end();
    }

  private:
    HiddenWaiter waiter_;
    std::uint64_t before_ = 0;
    bool blocked_ = false;
};

int wait_for_hidden(const sigset_t *set, siginfo_t *info, const timespec *timeout) {
    const std::uint64_t hidden = hidden_signals(), asked = to_bits(*set) & hidden;
    const sigset_t listened = to_set(to_bits(*set) | hidden);
    const std::uint64_t app_signals = self.app_signals;
    HiddenWait wait(asked);
    const std::int64_t end = timeout ? program_time(CLOCK_MONOTONIC) + to_ns(*timeout) : 0;
    for (;;) {
        siginfo_t got{};
        wait.block();
        int result = take_pending_hidden(asked, &got), error = 0;
        // One of the application's that came while a signal of ours was being handled.
        if (!result && self.app_signals != app_signals) error = EINTR;
        if (!result && !error) {
            const timespec left = to_timespec(timeout ? end - program_time(CLOCK_MONOTONIC) : 0);
            result = undone_when_cancelled(HiddenWait::end, &wait,
                                           [&] { return real::sigtimedwait(&listened, &got, timeout ? &left : nullptr); });
            error = result < 0 ? errno : 0;
            if (result > 0 && (hidden & signal_bit(result))) {
                system_call(SYS_rt_tgsigqueueinfo, sys::getpid(), sys::gettid(), result, as_long(&got));
                result = 0;
            } else if (error == EINTR && self.app_signals == app_signals) {
                error = 0;
            }
        }
        wait.unblock();
        if (error) {
            errno = error;
            return -1;
        }
        if (result > 0) {
            if (restored_process && got.si_code == SI_TIMER) timer_expired(got);
            if (info) *info = got;
            return result;
        }
    }
}

}  // namespace
}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) noexcept {
    return recording() ? change_mask(how, set, old) : real::pthread_sigmask(how, set, old);
}

SCKPT_WRAPPER int sigprocmask(int how, const sigset_t *set, sigset_t *old) noexcept {
    if (!recording()) return real::sigprocmask(how, set, old);
    if (const int error = change_mask(how, set, old)) {
        errno = error;
        return -1;
    }
    return 0;
}

SCKPT_WRAPPER int sigblock(int mask) noexcept {
    sigset_t set = to_set(static_cast<std::uint32_t>(mask)), old{};
    sigprocmask(SIG_BLOCK, &set, &old);
    return static_cast<int>(to_bits(old));
}
SCKPT_WRAPPER int siggetmask() noexcept { return sigblock(0); }
SCKPT_WRAPPER int sigsetmask(int mask) noexcept {
    sigset_t set = to_set(static_cast<std::uint32_t>(mask)), old{};
    sigprocmask(SIG_SETMASK, &set, &old);
    return static_cast<int>(to_bits(old));
}
SCKPT_WRAPPER int sighold(int signal) noexcept {
    sigset_t set = to_set(signal > 0 && signal < 65 ? signal_bit(signal) : 0);
    return sigprocmask(SIG_BLOCK, &set, nullptr);
}
SCKPT_WRAPPER int sigrelse(int signal) noexcept {
    sigset_t set = to_set(signal > 0 && signal < 65 ? signal_bit(signal) : 0);
    return sigprocmask(SIG_UNBLOCK, &set, nullptr);
}
SCKPT_WRAPPER sighandler_t sigset(int signal, sighandler_t handler) noexcept {
    struct sigaction wanted {
    }, old{};
    sigset_t mask{};
    if (signal < 1 || signal > 64) {
        errno = EINVAL;
        return SIG_ERR;
    }
    const sigset_t one = to_set(signal_bit(signal));
    if (handler == SIG_HOLD) {
        if (sigprocmask(SIG_BLOCK, &one, &mask) != 0 || sigaction(signal, nullptr, &old) != 0) return SIG_ERR;
    } else {
        wanted.sa_handler = handler;
        if (sigaction(signal, &wanted, &old) != 0 || sigprocmask(SIG_UNBLOCK, &one, &mask) != 0) return SIG_ERR;
    }
    return to_bits(mask) & signal_bit(signal) ? SIG_HOLD : old.sa_handler;
}

SCKPT_WRAPPER int sigpending(sigset_t *set) noexcept {
    if (!recording()) return real::sigpending(set);
    Busy busy;
    const int result = real::sigpending(set);
    const std::uint64_t hidden = hidden_signals();
    if (result == 0) *set = to_set((to_bits(*set) & ~hidden) | (pending_hidden() & virtually_blocked()));
    return result;
}

SCKPT_WRAPPER int sigtimedwait(const sigset_t *set, siginfo_t *info, const timespec *timeout) {
    if (!recording()) return real::sigtimedwait(set, info, timeout);
    if (timeout && (timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000 || timeout->tv_sec < 0))
        return real::sigtimedwait(set, info, timeout);
    return wait_for_hidden(set, info, timeout);
}
SCKPT_WRAPPER int sigwaitinfo(const sigset_t *set, siginfo_t *info) { return sigtimedwait(set, info, nullptr); }
SCKPT_WRAPPER int sigwait(const sigset_t *set, int *signal) {
    if (!recording()) return real::sigwait(set, signal);
    siginfo_t info;
    int result;
    do result = sigtimedwait(set, &info, nullptr);
    while (result < 0 && errno == EINTR);
    if (result < 0) return errno;
    *signal = result;
    return 0;
}
