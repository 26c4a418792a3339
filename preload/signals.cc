// Actions of signals.
//
// Every handler of the application is installed as our trampoline, with the application's flags, so that the kernel
// keeps their meaning; the trampoline counts (ThreadState::app_signals tells whose interruption a call has seen) and
// calls the application's function from the table.  For the three hidden signals of a rank nothing of the application's
// reaches the kernel: the table holds its action, and deliver_to_application() does what the kernel would.  Before a
// process is a rank (a wrapper never is one) they are signals like others, for it may exec, which keeps what the kernel
// has and nothing else; only in front of SIGTERM's action stands the early handler (wrapper.h).
//
// In the table first, then in the kernel when a function is set, and the other way round when it is taken away: a
// trampoline that runs in between always finds something to call.
#include "preload/signals.h"

#include <errno.h>
#include <string.h>

#include <atomic>

#include "preload/base/log.h"
#include "preload/signal_table.h"
#include "preload/wrap.h"

namespace sckpt {

ApplicationAction actions[kSignals];
Spin action_lock;

namespace {

void (*our_handler)(int, siginfo_t *, void *) = nullptr;
void (*early_handler)(int, siginfo_t *, void *) = nullptr;
thread_local std::uint32_t early_blocked [[gnu::tls_model("initial-exec")]] = 0;  // before the thread has a record

std::atomic<std::uint32_t> pending_bits{0};
siginfo_t pending_info[3];
struct WaiterSlot {
    std::atomic<ThreadRecord *> record{nullptr};
    std::atomic<std::uint32_t> bits{0};
} waiters[64];

std::uint32_t hidden_bit(int signal) {
    if (signal == park_signal()) return 1;
    if (signal == kRequestSignal) return 2;
    if (signal == kTerminateSignal) return 4;
    return 0;
}
// Is the application's action in the table only?
bool is_virtual(int signal) {
    return our_handler ? hidden_bit(signal) != 0 : early_handler && signal == kTerminateSignal;
}
int hidden_index(int signal) { return signal == park_signal() ? 0 : signal == kRequestSignal ? 1 : 2; }
std::uint64_t park_bit() { return signal_bit(park_signal()); }
std::uint32_t compress(std::uint64_t set) {
    return (set & park_bit() ? 1u : 0u) | (set & signal_bit(kRequestSignal) ? 2u : 0u) |
           (set & signal_bit(kTerminateSignal) ? 4u : 0u);
}
std::uint64_t expand(std::uint32_t bits) {
    return (bits & 1 ? park_bit() : 0) | (bits & 2 ? signal_bit(kRequestSignal) : 0) |
           (bits & 4 ? signal_bit(kTerminateSignal) : 0);
}
std::uint32_t &blocked_bits() { return self.record ? self.record->virtual_blocked : early_blocked; }

// A thread of MPI's: the kernel may choose it for a signal, but code of the application does not run in it.
bool is_helper() { return self.record && self.record->helper; }

bool is_function(void *handler) { return handler != as_pointer(SIG_DFL) && handler != as_pointer(SIG_IGN); }

void trampoline(int signal, siginfo_t *info, void *context) {
    ApplicationAction &action = actions[signal];
    void *handler = action.handler.load();
    if (!is_function(handler)) return;
    // The kernel has reset its side.
    if (action.flags & SA_RESETHAND) action.handler = as_pointer(SIG_DFL);
    ++self.app_signals;
    if (restored_process && info->si_code == SI_TIMER) [[unlikely]]
        timer_expired(*info);
    std::uint32_t &bits = blocked_bits();
    const std::uint32_t before = bits;
    bits |= compress(action.mask);
    reinterpret_cast<void (*)(int, siginfo_t *, void *)>(handler)(signal, info, context);
    bits = before;
}

// An ignored SIGTERM stays so through an exec, which a handler does not.
void install_early() {
    struct sigaction action {};
    const ApplicationAction &own = actions[kTerminateSignal];
    if (own.handler == as_pointer(SIG_IGN)) {
        action.sa_handler = SIG_IGN;
    } else {
        action.sa_sigaction = early_handler;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        if (is_function(own.handler)) {
            action.sa_flags = (static_cast<int>(own.flags) & ~static_cast<int>(SA_RESETHAND)) | SA_SIGINFO;
            action.sa_mask = to_set(own.mask);
        }
    }
    real::sigaction(kTerminateSignal, &action, nullptr);
}

// What we give the kernel for a hidden signal.  Calls go on after it, for it is seldom the application's; where its own
// handler has run and is one that interrupts, interrupt_call() makes up for that.
void install_ours(int signal) {
    if (!our_handler) return install_early();
    struct sigaction action {};
    action.sa_sigaction = our_handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    real::sigaction(signal, &action, nullptr);
}

[[noreturn]] void end_by(int signal) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    real::sigaction(signal, &action, nullptr);
    const std::uint64_t only = signal_bit(signal);
    sys::tgkill(sys::getpid(), sys::gettid(), signal);
    system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&only), 0, 8);
    for (;;) system_call(SYS_exit_group, 128 + signal);
}

// Calls that end with EINTR when a handler without SA_RESTART has run (signal(7)), and do so in programs that expect it.
bool is_interruptible(long number) {
    switch (number) {
        case SYS_read: case SYS_write: case SYS_readv: case SYS_writev: case SYS_pread64: case SYS_pwrite64:
        case SYS_recvfrom: case SYS_recvmsg: case SYS_recvmmsg: case SYS_sendto: case SYS_sendmsg: case SYS_sendmmsg:
        case SYS_accept: case SYS_accept4: case SYS_connect: case SYS_wait4: case SYS_waitid: case SYS_futex:
        case SYS_flock: case SYS_fcntl: case SYS_ioctl: case SYS_open: case SYS_openat: case SYS_getrandom:
        case SYS_mq_timedsend: case SYS_mq_timedreceive:
            return true;
        default:
            return false;
    }
}

// The kernel has set the call up to be made again: at its instruction, with its number where the result belongs.  A
// thread that was just about to make it for the first time looks the same, and may see it interrupted as well.
void interrupt_call(void *context) {
    greg_t *const registers = static_cast<ucontext_t *>(context)->uc_mcontext.gregs;
    const auto *code = reinterpret_cast<const unsigned char *>(registers[REG_RIP]);
    constexpr unsigned char kSyscall[] = {0x0f, 0x05};
    if (memcmp(code, kSyscall, sizeof kSyscall) != 0 || !is_interruptible(registers[REG_RAX])) return;
    registers[REG_RAX] = -EINTR;
    registers[REG_RIP] += sizeof kSyscall;
}

void run_application(int signal, siginfo_t *info, void *context) {
    ApplicationAction &action = actions[signal];
    void *handler = action.handler.load();
    if (handler == as_pointer(SIG_IGN)) return;
    if (handler == as_pointer(SIG_DFL)) {
        if (signal == kRequestSignal) return;
        end_by(signal);
    }
    if (action.flags & SA_RESETHAND) action.handler = as_pointer(SIG_DFL);
    ucontext_t here;
    const bool interrupts = context && !(action.flags & SA_RESTART);
    if (!context) {
        getcontext(&here);
        context = &here;
    }
    const std::uint64_t interrupted = to_bits(static_cast<ucontext_t *>(context)->uc_sigmask);
    const std::uint64_t mask = (interrupted | action.mask) & ~hidden_signals();
    std::uint64_t entry = 0;
    ++self.app_signals;
    std::uint32_t &bits = blocked_bits();
    const std::uint32_t before = bits;
    bits |= compress(action.mask) | (action.flags & SA_NODEFER ? 0 : hidden_bit(signal));
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&mask), as_long(&entry), 8);
    reinterpret_cast<void (*)(int, siginfo_t *, void *)>(handler)(signal, info, context);
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&entry), 0, 8);
    bits = before;
    if (interrupts) interrupt_call(context);
}

// The application's view of an action that the kernel reported.
void report(int signal, const struct sigaction &kernel, struct sigaction *view) {
    *view = kernel;
    const ApplicationAction &own = actions[signal];
    if (is_virtual(signal) || kernel.sa_sigaction == trampoline) {
        view->sa_sigaction = reinterpret_cast<void (*)(int, siginfo_t *, void *)>(own.handler.load());
        view->sa_flags = static_cast<int>(own.flags);
        view->sa_mask = to_set(own.mask);
    }
}

void keep(int signal, const struct sigaction &wanted) {
    ApplicationAction &own = actions[signal];
    own.flags = static_cast<std::uint32_t>(wanted.sa_flags);
    own.mask = to_bits(wanted.sa_mask);
    own.handler = reinterpret_cast<void *>(wanted.sa_sigaction);
    own.known = true;
}

// Handlers that were installed before the process became a rank block in the kernel what they like.
void unmask_in_handlers() {
    for (int signal = 1; signal < kSignals; ++signal) {
        struct sigaction kernel {};
        if (!is_function(actions[signal].handler) || hidden_bit(signal)) continue;
        if (real::sigaction(signal, nullptr, &kernel) != 0 || kernel.sa_sigaction != trampoline) continue;
        kernel.sa_mask = to_set(to_bits(kernel.sa_mask) & ~hidden_signals());
        real::sigaction(signal, &kernel, nullptr);
    }
}

int change_action(int signal, const struct sigaction *wanted, struct sigaction *old) {
    Busy busy;
    Locked locked(action_lock);
    struct sigaction kernel {};
    if (is_virtual(signal)) {
        const std::uint32_t bit = hidden_bit(signal);
        if (!actions[signal].known) {
            if (real::sigaction(signal, nullptr, &kernel) != 0) return -1;
            keep(signal, kernel);
        }
        if (old) report(signal, kernel, old);
        if (!wanted) return 0;
        keep(signal, *wanted);
        // As the kernel does with a pending signal that becomes ignored.
        if (wanted->sa_handler == SIG_IGN || (wanted->sa_handler == SIG_DFL && signal == kRequestSignal))
            pending_bits.fetch_and(~bit);
        install_ours(signal);
        return 0;
    }
    if (!wanted) {
        if (real::sigaction(signal, nullptr, &kernel) != 0) return -1;
        report(signal, kernel, old);
        return 0;
    }
    struct sigaction before {
    }, given = *wanted;
    if (real::sigaction(signal, nullptr, &kernel) != 0) return -1;
    report(signal, kernel, &before);
    const bool function = is_function(reinterpret_cast<void *>(wanted->sa_sigaction));
    if (function) {
        keep(signal, *wanted);
        given.sa_sigaction = trampoline;
        given.sa_flags |= SA_SIGINFO;
        given.sa_mask = to_set(to_bits(wanted->sa_mask) & ~hidden_signals());
    }
    if (real::sigaction(signal, &given, nullptr) != 0) {
        const int error = errno;
        keep(signal, before);
        errno = error;
        return -1;
    }
    keep(signal, *wanted);
    if (old) *old = before;
    return 0;
}

}  // namespace

bool is_trampoline(std::uint64_t handler) { return handler == reinterpret_cast<std::uint64_t>(&trampoline); }
bool is_our_handler(std::uint64_t handler) {
    return our_handler && handler == reinterpret_cast<std::uint64_t>(our_handler);
}

// The parking signal from the beginning: a thread that blocks everything before MPI_Init has to be parked later.
std::uint64_t hidden_signals() { return our_handler ? expand(7) : park_bit(); }
std::uint64_t all_hidden_signals() { return expand(7); }
std::uint64_t virtually_blocked() { return expand(blocked_bits()); }
void set_virtually_blocked(std::uint64_t signals) { blocked_bits() = compress(signals); }
bool application_blocks(int signal) { return blocked_bits() & hidden_bit(signal); }
std::uint64_t pending_hidden() { return expand(pending_bits); }

int take_pending_hidden(std::uint64_t signals, siginfo_t *info) {
    for (const int signal : {kTerminateSignal, kRequestSignal, park_signal()}) {
        const std::uint32_t bit = hidden_bit(signal);
        if (!(compress(signals) & bit) || !(pending_bits.load() & bit)) continue;
        const siginfo_t copy = pending_info[hidden_index(signal)];
        if (!(pending_bits.fetch_and(~bit) & bit)) continue;
        if (info) *info = copy;
        return signal;
    }
    return 0;
}

HiddenWaiter::HiddenWaiter(std::uint64_t signals) {
    for (int slot = 0; slot < 64 && self.record; ++slot) {
        ThreadRecord *free = nullptr;
        if (!waiters[slot].record.compare_exchange_strong(free, self.record)) continue;
        waiters[slot].bits = compress(signals);
        slot_ = slot;
        return;
    }
}
void HiddenWaiter::end() {
    if (slot_ < 0) return;
    waiters[slot_].bits = 0;
    waiters[slot_].record = nullptr;
    slot_ = -1;
}

void hide_signals(void (*handler)(int, siginfo_t *, void *)) {
    if (self.record) self.record->virtual_blocked |= early_blocked;
    early_blocked = 0;
    {
        Locked locked(action_lock);
        our_handler = handler;
        early_handler = nullptr;
        for (const int signal : {park_signal(), kRequestSignal, kTerminateSignal}) {
            struct sigaction inherited {};
            if (!actions[signal].known && real::sigaction(signal, nullptr, &inherited) == 0) keep(signal, inherited);
            install_ours(signal);
        }
        unmask_in_handlers();
    }
    const std::uint64_t hidden = hidden_signals();
    std::uint64_t before = 0;
    system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&hidden), as_long(&before), 8);
    // In a restored process everything is blocked, which says nothing about the application.
    if (!restored_process) blocked_bits() |= compress(before);
}

void stand_before_terminate(void (*handler)(int, siginfo_t *, void *)) {
    Locked locked(action_lock);
    struct sigaction inherited {};
    if (!actions[kTerminateSignal].known && real::sigaction(kTerminateSignal, nullptr, &inherited) == 0)
        keep(kTerminateSignal, inherited);
    early_handler = handler;
    install_early();
}

void run_own_action(int signal, siginfo_t *info, void *context) {
    ApplicationAction &action = actions[signal];
    void *handler = action.handler.load();
    if (handler == as_pointer(SIG_IGN)) return;
    if (handler == as_pointer(SIG_DFL)) end_by(signal);
    if (action.flags & SA_RESETHAND) action.handler = as_pointer(SIG_DFL);
    ++self.app_signals;
    reinterpret_cast<void (*)(int, siginfo_t *, void *)>(handler)(signal, info, context);
}

void unhide_signals() {
    action_lock.unlock();  // a thread that held it at the fork is not here
    for (int signal = 1; signal < kSignals; ++signal) {
        const ApplicationAction &own = actions[signal];
        if (!own.known || (!hidden_bit(signal) && !is_function(own.handler))) continue;
        if (early_handler && signal == kTerminateSignal) continue;
        struct sigaction action {};
        action.sa_sigaction = reinterpret_cast<void (*)(int, siginfo_t *, void *)>(own.handler.load());
        action.sa_flags = static_cast<int>(own.flags);
        action.sa_mask = to_set(own.mask);
        real::sigaction(signal, &action, nullptr);
    }
    our_handler = nullptr;
    const std::uint64_t blocked = virtually_blocked();
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, as_long(&blocked), 0, 8);
}

void deliver_to_application(int signal, siginfo_t *info, void *context) {
    const std::uint32_t bit = hidden_bit(signal);
    siginfo_t unknown{};
    unknown.si_signo = signal;
    unknown.si_code = SI_KERNEL;
    if (!info) info = &unknown;
    if (!(blocked_bits() & bit) && !is_helper()) {
        run_application(signal, info, context);
        return;
    }
    if (actions[signal].handler == as_pointer(SIG_IGN)) return;
    pending_info[hidden_index(signal)] = *info;
    pending_bits.fetch_or(bit);
    for (WaiterSlot &waiter : waiters) {
        ThreadRecord *record = waiter.record;
        if (!record || !(waiter.bits & bit)) continue;
        sys::tgkill(sys::getpid(), record->kernel_id, park_signal());
        return;
    }
    for (ThreadRecord *record = all_threads; record; record = record->next) {
        if (!record->alive || record->helper || record == self.record || (record->virtual_blocked & bit)) continue;
        sys::tgkill(sys::getpid(), record->kernel_id, park_signal());
        return;
    }
}

void deliver_pending(void *context) {
    if (is_helper()) return;
    while (const std::uint32_t ready = pending_bits.load() & ~blocked_bits()) {
        siginfo_t info;
        const int signal = take_pending_hidden(expand(ready), &info);
        if (signal) run_application(signal, &info, context);
    }
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int sigaction(int signal, const struct sigaction *wanted, struct sigaction *old) noexcept {
    const bool usual = signal > 0 && signal < kSignals && signal != SIGKILL && signal != SIGSTOP &&
                       (signal < 32 || signal >= SIGRTMIN) && (wanted || old);
    // Forked children of a wrapper (sub-shells) are wrappers as well.
    const bool wrapped = recording() || (early_handler && signal == kTerminateSignal);
    if (!wrapped || !usual) return real::sigaction(signal, wanted, old);
    return change_action(signal, wanted, old);
}
