// Signals at the cut and in a restored process.  Raw system calls: the restorer pointer, and the signals 32 and 33 that
// libc keeps to itself, go back as they were.
#include <stdlib.h>
#include <string.h>

#include "preload/signal_table.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct KernelAction {
    std::uint64_t handler, flags, restorer, mask;
};
KernelAction saved[kSignals];
constexpr int kShared = 32;
siginfo_t shared_pending[kShared];
int shared_count = 0;

bool is_special(int signal) { return signal == SIGKILL || signal == SIGSTOP; }

// A line of /proc/thread-self/status, such as "SigPnd:", as a hexadecimal number.
std::uint64_t status_field(const char *name) {
    char text[4096];
    if (sys::read_file("/proc/thread-self/status", text, sizeof text) <= 0) return 0;
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), nullptr, 16) : 0;
}

// Takes pending signals out and puts them back in the same order, keeping copies.
template <class Requeue>
int copy_pending(std::uint64_t set, siginfo_t *list, int capacity, Requeue requeue) {
    int count = 0;
    const timespec now{0, 0};
    while (count < capacity && set &&
           system_call(SYS_rt_sigtimedwait, as_long(&set), as_long(&list[count]), as_long(&now), 8) > 0)
        ++count;
    for (int i = 0; i < count; ++i) requeue(list[i]);
    return count;
}

void requeue_to_thread(const siginfo_t &info) {
    system_call(SYS_rt_tgsigqueueinfo, sys::getpid(), sys::gettid(), info.si_signo, as_long(&info));
}
void requeue_to_process(const siginfo_t &info) {
    system_call(SYS_rt_sigqueueinfo, sys::getpid(), info.si_signo, as_long(&info));
}

}  // namespace

void record_signals(Plan &plan) {
    for (int signal = 1; signal < kSignals; ++signal) {
        KernelAction &now = saved[signal];
        now = {};
        if (is_special(signal)) continue;
        system_call(SYS_rt_sigaction, signal, 0, as_long(&now), 8);
        const bool internal = signal >= 32 && signal < SIGRTMIN;
        const bool of_application = is_trampoline(now.handler);
        const bool hidden = hidden_signals() & signal_bit(signal);
        // A function that came neither through our wrappers nor from us is the lower half's: its next start installs
        // it.
        if (now.handler > 1 && !of_application && !internal && !is_our_handler(now.handler)) now = {};
        image::Signal row{signal, static_cast<std::uint32_t>(now.flags), now.handler, now.mask};
        if (of_application || hidden) {
            row.flags = actions[signal].flags;
            row.handler = reinterpret_cast<std::uint64_t>(actions[signal].handler.load());
            row.mask = actions[signal].mask;
        }
        if (row.handler != 0 && !internal) plan.signals.push_back(row);
    }
    const std::uint64_t own = status_field("\nSigPnd:"), shared = status_field("\nShdPnd:");
    // One that is pending for this thread as well comes out first, and is put back there by the thread's own record.
    shared_count = copy_pending(shared & ~own & ~hidden_signals(), shared_pending, kShared, requeue_to_process);
}

Restored restore_signals() {
    for (int signal = 1; signal < kSignals; ++signal) {
        if (is_special(signal)) continue;
        const long result = system_call(SYS_rt_sigaction, signal, as_long(&saved[signal]), 0, 8);
        if (result < 0)
            return std::unexpected("cannot set the action of signal " + std::to_string(signal) + ": " +
                                   strerrordesc_np(static_cast<int>(-result)));
    }
    for (int i = 0; i < shared_count; ++i) requeue_to_process(shared_pending[i]);
    return {};
}

void record_thread_signals(ThreadSignals &thread) {
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, as_long(&thread.mask), 8);
    system_call(SYS_sigaltstack, 0, as_long(&thread.alternate));
    thread.pending_count = static_cast<std::uint32_t>(copy_pending(
        status_field("\nSigPnd:") & ~hidden_signals(), thread.pending, ThreadSignals::kPending, requeue_to_thread));
}

void restore_thread_signals(const ThreadSignals &thread) {
    stack_t alternate = thread.alternate;
    // SS_ONSTACK is only reported, never set.
    alternate.ss_flags &= ~SS_ONSTACK;
    system_call(SYS_sigaltstack, as_long(&alternate), 0);
    for (std::uint32_t i = 0; i < thread.pending_count; ++i) requeue_to_thread(thread.pending[i]);
}

}  // namespace sckpt
