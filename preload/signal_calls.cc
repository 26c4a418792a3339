// The older ways to set the action of a signal.  glibc's own would call its sigaction() inside itself, past ours.
#include <errno.h>
#include <signal.h>

#include <atomic>

#include "preload/signal_table.h"
#include "preload/signals.h"
#include "preload/wrap.h"

using namespace sckpt;

namespace {

sighandler_t set_handler(int signal, sighandler_t handler, int flags, std::uint64_t mask) {
    struct sigaction wanted {
    }, old{};
    if (handler == SIG_ERR || signal < 1 || signal >= kSignals) {
        errno = EINVAL;
        return SIG_ERR;
    }
    wanted.sa_handler = handler;
    wanted.sa_flags = flags;
    wanted.sa_mask = to_set(mask);
    return sigaction(signal, &wanted, &old) == 0 ? old.sa_handler : SIG_ERR;
}

// Signals for which siginterrupt(3) asked that calls be interrupted: signal(3) heeds it.
std::atomic<std::uint64_t> interrupting{0};

}  // namespace

SCKPT_WRAPPER sighandler_t signal(int number, sighandler_t handler) noexcept {
    // A sub-shell's SIGTERM is ours to see though nothing else is recorded there.
    if (!recording() && number != kTerminateSignal) return real::signal(number, handler);
    if (number < 1 || number >= kSignals) return real::signal(number, handler);
    const bool interrupts = interrupting.load() & signal_bit(number);
    return set_handler(number, handler, interrupts ? 0 : SA_RESTART, signal_bit(number));
}
SCKPT_WRAPPER sighandler_t bsd_signal(int number, sighandler_t handler) { return signal(number, handler); }
SCKPT_WRAPPER sighandler_t ssignal(int number, sighandler_t handler) noexcept { return signal(number, handler); }

SCKPT_WRAPPER sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
    recording();
    return set_handler(number, handler, static_cast<int>(SA_RESETHAND | SA_NODEFER), 0);
}
SCKPT_WRAPPER sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
    return __sysv_signal(number, handler);
}

SCKPT_WRAPPER int siginterrupt(int number, int interrupt) noexcept {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) return -1;
    if (interrupt) {
        interrupting.fetch_or(signal_bit(number));
        action.sa_flags &= ~SA_RESTART;
    } else {
        interrupting.fetch_and(~signal_bit(number));
        action.sa_flags |= SA_RESTART;
    }
    return sigaction(number, &action, nullptr);
}
SCKPT_WRAPPER int sigignore(int number) noexcept { return set_handler(number, SIG_IGN, 0, 0) == SIG_ERR ? -1 : 0; }
