#include "preload/stop.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <time.h>

#include <algorithm>

#include "mpi_coord/half.h"
#include "preload/base/log.h"
#include "preload/base/real.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/signals.h"
#include "preload/thread_state.h"
#include "preload/threads.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// Rises by two with every stop; a parked thread waits until it does.  An odd number wakes all of them for a moment, in
// which those that are asked to copy their queued signals.
std::atomic<std::uint32_t> stop_number{0};
constexpr std::uint32_t kErrand = 1;
std::uint32_t present_stop() { return stop_number & ~kErrand; }
// Who stops the others, and therefore never parks.
std::atomic<ThreadRecord *> stopper{nullptr};
// Threads of the current restart that run again.
std::atomic<std::uint32_t> running_again{0};

constexpr std::uint64_t kAllSignals = ~std::uint64_t{0};
constexpr unsigned kRseqSignature = 0x53053053;  // as glibc registers it on x86-64

std::uint64_t block_all() {
    std::uint64_t before = 0;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&kAllSignals), as_long(&before), 8);
    return before;
}
void set_mask(std::uint64_t mask) { system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&mask), 0, 8); }

void register_with_kernel() {
    const std::uint64_t base = self.record->pthread;
    system_call(SYS_set_robust_list, static_cast<long>(base + control_block().robust_list),
                static_cast<long>(control_block().robust_size));
    if (__rseq_size == 0) return;
    auto *area = reinterpret_cast<struct rseq *>(static_cast<char *>(__builtin_thread_pointer()) + __rseq_offset);
    memset(area, 0, sizeof *area);
    area->cpu_id = static_cast<std::uint32_t>(RSEQ_CPU_ID_UNINITIALIZED);
    const long error = system_call(SYS_rseq, as_long(area), sizeof *area, 0, kRseqSignature);
    if (error < 0) say(Severity::debug, "rseq is not available after the restart: error %ld", -error);
}

void sleep_a_little() {
    timespec moment{0, 200'000};
    system_call(SYS_nanosleep, as_long(&moment), 0);
}

template <class Function>
void for_each_other(Function function) {
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record != self.record && record->kernel_id) function(record);
}

// glibc's threads that we know nothing of, and threads on their way out: none may be left at the cut.  A main thread
// that has ended stays as a zombie, whose state this file shows then.
int kernel_threads() {
    char status[4096];
    if (sys::read_file("/proc/self/status", status, sizeof status) <= 0) return 0;
    const char *line = strstr(status, "\nThreads:");
    int count = 0;
    if (line)
        for (line += 9; *line && *line != '\n'; ++line)
            if (*line >= '0' && *line <= '9') count = count * 10 + (*line - '0');
    return strstr(status, "\nState:\tZ") ? count - 1 : count;
}

void wait_while_stopped(std::uint32_t number) {
    for (std::uint32_t now; ((now = stop_number) & ~kErrand) == number;) {
        if (self.record->has_pending) {
            copy_queued_signals(self.record->pending);
            self.record->has_pending = false;
        }
        sys::futex_wait(&stop_number, now);
    }
}

// With all others parked.
void copy_queued_signals_of_others() {
    bool any = false;
    for_each_other([&](ThreadRecord *record) {
        record->pending.clear();
        if (record->helper || !has_queued_signals(record->kernel_id)) return;
        record->has_pending = any = true;
    });
    if (!any) return;
    stop_number.fetch_or(kErrand);
    sys::futex_wake(&stop_number, 1 << 30);
    for_each_other([&](ThreadRecord *record) {
        while (record->has_pending) sleep_a_little();
    });
}

void park_here() {
    ThreadRecord *const record = self.record;
    const int saved_errno = errno;
    const std::uint64_t mask = block_all();
    ThreadSignals signals;
    record_thread_signals(signals);
    record->signal_mask = mask;
    system_call(SYS_prctl, PR_GET_NAME, as_long(record->name));
    note_kernel_side(record->kernel);
    const std::uint32_t number = present_stop();
    if (sckpt_save_context(&record->context) == 0) {
        record->parked_for = number;
        record->parking = Parking::parked;
        sys::futex_wake(&record->parking, 1);
        wait_while_stopped(number);
        record->parking = Parking::running;
    } else {
        // A new kernel thread on the old stack, with the old thread pointer.
        record->kernel_id = static_cast<int>(sys::gettid());
        register_with_kernel();
        mpi::reset_lower_thread();
        system_call(SYS_prctl, PR_SET_NAME, as_long(record->name));
        restore_thread_signals(signals);
        queue_signals_again(record->pending);
        restore_kernel_side(record->kernel);
        ++running_again;
        // Until the timers that belong to threads have been made, too.
        wait_while_stopped(number);
        record->parking = Parking::running;
    }
    errno = saved_errno;
    set_mask(mask);
}

}  // namespace

void park_if_stopping() {
    if ((attention.load() & kStopping) && self.record && self.record != stopper &&
        self.record->parking == Parking::running)
        park_here();
}

namespace {

// One look at all threads; with `signal`, those that run are told to park.
bool all_parked(bool signal, bool without_helpers) {
    int missing = 0, known = 1;
    for_each_other([&](ThreadRecord *record) {
        ++known;
        if (record->parking == Parking::parked && record->parked_for == present_stop()) return;
        if (!record->helper || !without_helpers) ++missing;
        if (signal) sys::tgkill(sys::getpid(), record->kernel_id, park_signal());
    });
    return missing == 0 && kernel_threads() <= known;
}

}  // namespace

const char *park_threads() {
    constexpr int kPatience = 50'000;  // turns of 0.2 ms: ten seconds
    constexpr int kHelperPatience = 1'000;
    constexpr int kFirstTry = 250;
    int turn = 0;
    for (int turns = kFirstTry;; turns += turns / 2) {
        stopper = self.record;
        attention.fetch_or(kStopping);
        const int begun = turn, end = std::min(turn + turns, kPatience);
        for (; turn < end; ++turn) {
            if (all_parked((turn - begun) % 50 == 0, turn >= kHelperPatience)) return nullptr;
            sleep_a_little();
        }
        if (turn == kPatience) return "a thread could not be stopped within ten seconds";
        // A parked thread may hold a lock of libc (of malloc, of the stacks) for which one waits that cannot be parked:
        // inside pthread_create(), or at its end.  So they all get a moment, and are stopped again elsewhere.
        release_threads();
        sleep_a_little();
    }
}

void release_threads() {
    stopper = nullptr;
    attention.fetch_and(~static_cast<std::uint32_t>(kStopping));
    stop_number = present_stop() + 2;
    sys::futex_wake(&stop_number, 1 << 30);
}

void record_threads(Plan &plan) {
    plan.process.main_ended = main_has_ended();
    system_call(SYS_prctl, PR_GET_NAME, as_long(self.record->name));
    note_kernel_side(self.record->kernel);
    copy_queued_signals_of_others();
    for (ThreadRecord *record = all_threads; record; record = record->next)
        record->kernel_id_at_cut = record->kernel_id;
    auto add = [&](const ThreadRecord *record) {
        plan.threads.push_back({record->id, record->detached, record->pthread, record->context.rsp, record->signal_mask,
                                plan.add(record->name)});
    };
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->initial) add(record);
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && !record->initial && !record->helper) add(record);
}

void adopt_restored_thread() {
    self.record->kernel_id = static_cast<int>(
        system_call(SYS_set_tid_address, static_cast<long>(self.record->pthread + control_block().id)));
    register_with_kernel();
}

void name_restored_thread() { system_call(SYS_prctl, PR_SET_NAME, as_long(self.record->name)); }

namespace {

constexpr long kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                              CLONE_SETTLS | CLONE_CHILD_CLEARTID;

// The new thread starts with all signals blocked, on the stack below its saved frame, and continues in park_here().
void clone_parked(ThreadRecord *record) {
    const auto stack = static_cast<long>((record->context.rsp - 1024) & ~std::uint64_t{15});
    long result;
    register long r10 asm("r10") = static_cast<long>(record->pthread + control_block().id);
    register long r8 asm("r8") = static_cast<long>(record->pthread);
    register const Context *context asm("r9") = &record->context;
    asm volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "mov %%r9, %%rdi\n\t"
        "call *%[resume]\n\t"
        "ud2\n"
        "1:"
        : "=a"(result)
        : "a"(SYS_clone), "D"(kThreadFlags), "S"(stack), "d"(0L), "r"(r10), "r"(r8),
          "r"(context), [resume] "b"(&sckpt_resume_context)
        : "rcx", "r11", "memory", "cc");
    if (result < 0) die("cannot re-create thread %d: error %ld", record->id, -result);
}

// What the first kernel thread goes on as.
struct Successor {
    const Context *context;
    std::uint64_t base;  // FS
    std::uint64_t id;    // address that the kernel clears at its end; 0: none
};

// The process was started as the thread that took the checkpoint.  When that is not the initial one, it goes on as a
// new kernel thread and the first one becomes the initial one again: the kernel knows the process by its first thread,
// and a process whose first thread has ended cannot be looked into (process_vm_readv(2), /proc/PID/exe).  Between clone
// and resume the first one must not touch the stack, on which the new one runs already; signals are blocked.
[[gnu::noinline]] void give_first_kernel_thread_to(const Successor &next) {
    static Context own;
    if (sckpt_save_context(&own) != 0) {
        self.record->kernel_id = static_cast<int>(sys::gettid());
        register_with_kernel();
        return;
    }
    constexpr int kUnregister = 1;
    if (__rseq_size != 0) {
        auto *area = static_cast<char *>(__builtin_thread_pointer()) + __rseq_offset;
        system_call(SYS_rseq, as_long(area), sizeof(struct rseq), kUnregister, kRseqSignature);
    }
    const auto id_offset = static_cast<long>(control_block().id);
    const auto own_base = static_cast<long>(self.record->pthread);
    long result;
    // No call may come between these and the system call.
    register long r10 asm("r10") = own_base + id_offset;
    register long r8 asm("r8") = own_base;
    register const Context *mine asm("r9") = &own;
    register const Context *theirs asm("r12") = next.context;
    register auto their_base asm("r13") = static_cast<long>(next.base);
    register auto their_id asm("r14") = static_cast<long>(next.id);
    asm volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "js 2f\n\t"
        "jnz 1f\n\t"
        "movq %%r9, %%rdi\n\t"
        "jmp *%[resume]\n"
        "1:\n\t"
        "movl %[arch_prctl], %%eax\n\t"
        "movl $0x1002, %%edi\n\t"  // ARCH_SET_FS
        "movq %%r13, %%rsi\n\t"
        "syscall\n\t"
        "movl %[set_tid_address], %%eax\n\t"
        "movq %%r14, %%rdi\n\t"
        "syscall\n\t"
        "movq %%r12, %%rdi\n\t"
        "jmp *%[resume]\n"
        "2:"
        : "=a"(result)
        : "a"(SYS_clone), "D"(kThreadFlags), "S"(0L), "d"(0L), "r"(r10), "r"(r8), "r"(mine), "r"(theirs),
          "r"(their_base), "r"(their_id), [resume] "b"(&sckpt_resume_context), [arch_prctl] "i"(SYS_arch_prctl),
          [set_tid_address] "i"(SYS_set_tid_address)
        : "rcx", "r11", "memory", "cc");
    die("cannot re-create thread %d: error %ld", self.record->id, -result);
}

// The program had ended its main thread (pthread_exit(3)).  The first kernel thread stands in for it until everything
// has been restored and then ends by itself, as that did: what glibc did at its end is in the image.  It needs nothing
// of glibc's.
std::atomic<std::uint32_t> first_may_end{0};

[[noreturn]] void end_as_main_did() {
    system_call(SYS_set_robust_list, 0, static_cast<long>(control_block().robust_size));
    while (!first_may_end) sys::futex_wait(&first_may_end, 0);
    for (;;) system_call(SYS_exit, 0);
}

void leave_first_kernel_thread() {
    alignas(16) static char stack[4096];
    static Context context;
    first_may_end = 0;
    sckpt_save_context(&context);  // for the floating-point control words
    context.rsp = reinterpret_cast<std::uint64_t>(stack + sizeof stack - 8);
    context.rip = reinterpret_cast<std::uint64_t>(&end_as_main_did);
    give_first_kernel_thread_to({&context, self.record->pthread, 0});
}

}  // namespace

void end_main_thread_again() {
    first_may_end = 1;
    sys::futex_wake(&first_may_end, 1);
}

void recreate_threads() {
    running_again = 0;
    std::uint32_t wanted = 0;
    ThreadRecord *initial = nullptr;
    // What must not be waited for later: all of them begin before any is waited for.
    for_each_other([&](ThreadRecord *record) {
        if (record->helper) return;
        ++wanted;
        if (record->initial)
            initial = record;
        else
            clone_parked(record);
    });
    if (initial)
        give_first_kernel_thread_to({&initial->context, initial->pthread, initial->pthread + control_block().id});
    else if (!self.record->initial)
        leave_first_kernel_thread();
    while (running_again < wanted) sleep_a_little();
}

void start_lower_here() {
    if (self.lower_started || !mpi::lower_half_loaded()) return;
    mpi::start_lower_thread();  // touches thread-local memory only
    self.lower_started = true;
}

void start_lower_in_threads() {
    self.lower_started = true;
    constexpr int kPatience = 5'000;  // turns of 0.2 ms: a second
    for (int turn = 0; turn < kPatience; ++turn) {
        int missing = 0;
        for_each_other([&](ThreadRecord *record) {
            const ThreadState *state = record->state;
            if (record->helper || !state || state->lower_started) return;
            ++missing;
            if (turn % 50 == 0) sys::tgkill(sys::getpid(), record->kernel_id, park_signal());
        });
        if (missing == 0) return;
        sleep_a_little();
    }
    say(Severity::warning, "a thread that blocks signals must not call MPI: it could not be prepared for it");
}

}  // namespace sckpt
