// Signals at the cut and in a restored process.  Raw system calls: the restorer pointer, and the signals 32 and 33 that
// libc keeps to itself, go back as they were.
#include <stdio.h>
#include <string.h>

#include "preload/base/log.h"
#include "preload/process_tree.h"
#include "preload/signal_table.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct KernelAction {
    std::uint64_t handler, flags, restorer, mask;
};
KernelAction saved[kSignals];
QueuedSignals queued_for_process, queued_for_recorder;

bool is_special(int signal) { return signal == SIGKILL || signal == SIGSTOP; }

// The program's signals that a line of a status lists.
std::uint64_t queued(const char *path, const char *line) {
    return status_field(path, line, 16).value_or(0) & ~hidden_signals();
}
std::uint64_t queued_here() { return queued("/proc/thread-self/status", "\nSigPnd:"); }
std::uint64_t queued_anywhere() { return queued("/proc/self/status", "\nShdPnd:"); }

// Takes one out; the kernel prefers what is directed at the thread.
bool take_one(std::uint64_t set, QueuedSignals &list) {
    const timespec now{0, 0};
    siginfo_t info{};
    if (!set || system_call(SYS_rt_sigtimedwait, as_long(&set), as_long(&info), as_long(&now), 8) <= 0) return false;
    list.push_back(info);
    return true;
}

void take_directed(QueuedSignals &list) {
    // One number at a time: of another one, only signals to the process may be there.
    for (std::uint64_t set; (set = queued_here());)
        if (!take_one(set & -set, list)) break;
}

template <class Queue>
void queue_all(const QueuedSignals &list, Queue queue) {
    std::size_t lost = 0;
    for (const siginfo_t &info : list) lost += queue(info) < 0;
    if (lost)
        say(Severity::warning, "%zu of %zu queued signals are lost: the limit of queued signals (ulimit -i) is too low",
            lost, list.size());
}

long queue_for_thread(const siginfo_t &info) {
    return system_call(SYS_rt_tgsigqueueinfo, sys::getpid(), sys::gettid(), info.si_signo, as_long(&info));
}
long queue_for_process(const siginfo_t &info) {
    return system_call(SYS_rt_sigqueueinfo, sys::getpid(), info.si_signo, as_long(&info));
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
    queued_for_recorder.clear();
    queued_for_process.clear();
    take_directed(queued_for_recorder);
    while (take_one(queued_anywhere(), queued_for_process)) {
    }
    queue_all(queued_for_process, queue_for_process);
    queue_all(queued_for_recorder, queue_for_thread);
}

Restored restore_signals() {
    for (int signal = 1; signal < kSignals; ++signal) {
        if (is_special(signal)) continue;
        const long result = system_call(SYS_rt_sigaction, signal, as_long(&saved[signal]), 0, 8);
        if (result < 0)
            return std::unexpected("cannot set the action of signal " + std::to_string(signal) + ": " +
                                   strerrordesc_np(static_cast<int>(-result)));
    }
    queue_all(queued_for_process, queue_for_process);
    return {};
}

void record_thread_signals(ThreadSignals &thread) {
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, as_long(&thread.mask), 8);
    system_call(SYS_sigaltstack, 0, as_long(&thread.alternate));
}

void restore_thread_signals(const ThreadSignals &thread) {
    stack_t alternate = thread.alternate;
    // SS_ONSTACK is only reported, never set.
    alternate.ss_flags &= ~SS_ONSTACK;
    system_call(SYS_sigaltstack, as_long(&alternate), 0);
}

bool has_queued_signals(int kernel_id) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", kernel_id);
    return queued(path, "\nSigPnd:");
}

void copy_queued_signals(QueuedSignals &list) {
    list.clear();
    take_directed(list);
    queue_all(list, queue_for_thread);
}

void queue_signals_again(const QueuedSignals &list) { queue_all(list, queue_for_thread); }

void restore_recorders_signals() { queue_all(queued_for_recorder, queue_for_thread); }

}  // namespace sckpt
