// Who the program is: its process and thread ids stay what it knows, and its clocks go on from the cut.
//
// Before a restart all wrappers forward.  After one the kernel has other numbers; those that the program passes are
// translated with the records of its threads.  glibc itself keeps the old thread ids in its control blocks (owners of
// mutexes depend on them), so its functions that hand such an id to the kernel are in identity_threads.cc.
#include <errno.h>
#include <string.h>

#include "preload/deadlines.h"
#include "preload/resources.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// The clocks that the program saw at the cut.
constexpr clockid_t kSteady[] = {CLOCK_MONOTONIC,      CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
                                 CLOCK_BOOTTIME_ALARM, CLOCK_PROCESS_CPUTIME_ID};
std::int64_t at_cut[kShiftedClocks];
int program_process = 0;  // its own id as the program knows it; 0: as the kernel has it

bool is_own(pid_t process) {
    return process == static_cast<pid_t>(sys::getpid()) || (program_process && process == program_process);
}

bool is_hidden(int signal) { return signal > 0 && signal < 65 && (hidden_signals() & signal_bit(signal)); }

// A hidden signal that the program sends to itself is no message of Slurm's: its own action takes place at once.
void deliver_own(int signal, int code, sigval value = {}) {
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = code;
    info.si_pid = getpid();
    info.si_uid = static_cast<uid_t>(system_call(SYS_getuid));
    info.si_value = value;
    deliver_to_application(signal, &info, nullptr);
}

}  // namespace

pid_t kernel_process(pid_t program_id) {
    return restored_process && program_id == program_process ? static_cast<pid_t>(sys::getpid()) : program_id;
}

pid_t kernel_task(pid_t program_id) {
    if (!restored_process || program_id <= 0) return program_id;
    const int thread = to_kernel_id(program_id);
    return thread != program_id ? thread : kernel_process(program_id);
}

void record_identity(Plan &plan) {
    for (const clockid_t clock : kSteady) at_cut[clock] = kernel_time(clock) + shift_of(clock);
    record_cpu_times();
    if (!program_process) program_process = static_cast<int>(sys::getpid());
    plan.process.pid = program_process;
    plan.process.monotonic_ns = at_cut[CLOCK_MONOTONIC];
    plan.process.cut_time_ns = kernel_time(CLOCK_REALTIME);
}

Restored restore_identity() {
    restored_process = true;
    std::int64_t change[kShiftedClocks] = {};
    for (const clockid_t clock : kSteady) {
        const std::int64_t shift = at_cut[clock] - kernel_time(clock);
        change[clock] = clock_shift[clock] - shift;
        clock_shift[clock] = shift;
    }
    restore_cpu_times();
    clocks_shifted = true;
    ++clock_changes;
    move_deadlines(change);
    return {};
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER pid_t getpid() noexcept {
    if (restored_process && recording()) return program_process;
    return static_cast<pid_t>(sys::getpid());
}

SCKPT_WRAPPER pid_t gettid() noexcept {
    if (restored_process && recording()) return program_thread_id();
    return static_cast<pid_t>(sys::gettid());
}

SCKPT_WRAPPER int kill(pid_t process, int signal) noexcept {
    if (!recording()) return real::kill(process, signal);
    if (is_hidden(signal) && process > 0 && is_own(process)) {
        deliver_own(signal, SI_USER);
        return 0;
    }
    return real::kill(kernel_process(process), signal);
}

SCKPT_WRAPPER int raise(int signal) noexcept {
    if (!recording() || !is_hidden(signal)) {
        const SignalsBlocked meanwhile;
        if (!restored_process || !recording()) return real::raise(signal);
        return static_cast<int>(as_result(sys::tgkill(sys::getpid(), sys::gettid(), signal)));
    }
    deliver_own(signal, SI_TKILL);
    return 0;
}

SCKPT_WRAPPER int gsignal(int signal) noexcept { return raise(signal); }

SCKPT_WRAPPER int sigqueue(pid_t process, int signal, const sigval value) noexcept {
    if (!recording()) return real::sigqueue(process, signal, value);
    if (is_hidden(signal) && is_own(process)) {
        deliver_own(signal, SI_QUEUE, value);
        return 0;
    }
    return real::sigqueue(kernel_process(process), signal, value);
}

SCKPT_WRAPPER int tgkill(pid_t process, pid_t thread, int signal) noexcept {
    if (!recording()) return real::tgkill(process, thread, signal);
    if (is_hidden(signal) && is_own(process) && thread == program_thread_id()) {
        deliver_own(signal, SI_TKILL);
        return 0;
    }
    const SignalsBlocked meanwhile;
    const pid_t group = kernel_process(process);
    return static_cast<int>(as_result(sys::tgkill(group, is_own(group) ? to_kernel_id(thread) : thread, signal)));
}

// The clock has the process in its id: by the number that the program knows, as kernel_clock() expects it.
SCKPT_WRAPPER int clock_getcpuclockid(pid_t id, clockid_t *clock) noexcept {
    recording();
    const pid_t kernel = kernel_process(id);
    const int error = real::clock_getcpuclockid(kernel, clock);
    if (error == 0 && kernel != id) *clock = static_cast<clockid_t>(~static_cast<unsigned>(id) << 3 | (*clock & 7));
    return error;
}

// Scheduling: the first argument is the id of a process or a thread, 0 for the caller.
#define TASK_WRAPPER(result, name, parameters, arguments) \
    SCKPT_WRAPPER result name parameters noexcept {       \
        recording();                                      \
        const Busy meanwhile;                             \
        return real::name arguments;                      \
    }
TASK_WRAPPER(int, sched_setaffinity, (pid_t id, size_t size, const cpu_set_t *set), (kernel_task(id), size, set))
TASK_WRAPPER(int, sched_getaffinity, (pid_t id, size_t size, cpu_set_t *set), (kernel_task(id), size, set))
TASK_WRAPPER(int, sched_setscheduler, (pid_t id, int policy, const sched_param *parameter),
             (kernel_task(id), policy, parameter))
TASK_WRAPPER(int, sched_getscheduler, (pid_t id), (kernel_task(id)))
TASK_WRAPPER(int, sched_setparam, (pid_t id, const sched_param *parameter), (kernel_task(id), parameter))
TASK_WRAPPER(int, sched_getparam, (pid_t id, sched_param *parameter), (kernel_task(id), parameter))
TASK_WRAPPER(int, sched_rr_get_interval, (pid_t id, timespec *time), (kernel_task(id), time))
TASK_WRAPPER(int, getpriority, (__priority_which_t which, id_t who),
             (which, which == PRIO_PROCESS ? static_cast<id_t>(kernel_task(static_cast<pid_t>(who))) : who))
TASK_WRAPPER(int, setpriority, (__priority_which_t which, id_t who, int value),
             (which, which == PRIO_PROCESS ? static_cast<id_t>(kernel_task(static_cast<pid_t>(who))) : who, value))
#undef TASK_WRAPPER
