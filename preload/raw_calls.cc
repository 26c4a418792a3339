// syscall(2): calls of the kernel by number, for those in which it would see an id or a clock of the program's that is
// no longer its own, or show an interruption of ours.  All others, and before a restart most of these, go straight on.
#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/resource.h>

#include "preload/deadlines.h"
#include "preload/interruption.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Call {
    long number, a[6];
    long make() const { return system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]); }
};

// A futex's time-out is relative, or absolute on one of two clocks.  The kernel never goes on with it after a handler.
long wait_on_futex(Call call) {
    const auto *given = reinterpret_cast<const timespec *>(call.a[3]);
    const int operation = static_cast<int>(call.a[1]);
    if (!given || given->tv_nsec < 0 || given->tv_nsec >= kSecondNs || given->tv_sec < 0) return call.make();
    const Interruption state;
    auto ours_only = [&](long result) { return result == -EINTR && state.ours_alone(); };
    long result;
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        const std::int64_t end = program_time(CLOCK_MONOTONIC) + to_ns(*given);
        timespec left = *given;
        call.a[3] = as_long(&left);
        while (ours_only(result = call.make())) left = to_timespec(end - program_time(CLOCK_MONOTONIC));
        return result;
    }
    const bool realtime = (operation & FUTEX_CLOCK_REALTIME) || (operation & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
    KernelDeadline deadline(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, given);
    call.a[3] = as_long(deadline.get());
    while (ours_only(result = call.make())) {
    }
    return result;
}

long futex_call(const Call &call) {
    switch (call.a[1] & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
        case FUTEX_LOCK_PI:
        case FUTEX_LOCK_PI2:
        case FUTEX_WAIT_REQUEUE_PI:
            return wait_on_futex(call);
        default:
            return call.make();
    }
}

int as_int(long value) { return static_cast<int>(value); }

}  // namespace
}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER long syscall(long number, ...) noexcept {
    va_list arguments;
    va_start(arguments, number);
    Call call{number, {}};
    for (long &argument : call.a) argument = va_arg(arguments, long);
    va_end(arguments);
    if (!recording()) return as_result(call.make());
    long *const a = call.a;
    switch (number) {
        case SYS_futex:
            return as_result(futex_call(call));
        case SYS_gettid:
            return gettid();
        case SYS_getpid:
            return getpid();
        case SYS_kill:
            return kill(as_int(a[0]), as_int(a[1]));
        case SYS_tgkill:
            return tgkill(as_int(a[0]), as_int(a[1]), as_int(a[2]));
        case SYS_tkill:
            return tgkill(getpid(), as_int(a[0]), as_int(a[1]));
        case SYS_clock_gettime:
            return clock_gettime(as_int(a[0]), reinterpret_cast<timespec *>(a[1]));
        case SYS_clock_getres:
            return clock_getres(as_int(a[0]), reinterpret_cast<timespec *>(a[1]));
        case SYS_getrusage:
            return getrusage(static_cast<__rusage_who>(a[0]), reinterpret_cast<rusage *>(a[1]));
        case SYS_nanosleep:
            return nanosleep(reinterpret_cast<timespec *>(a[0]), reinterpret_cast<timespec *>(a[1]));
        case SYS_clock_nanosleep:
            return as_result(-clock_nanosleep(as_int(a[0]), as_int(a[1]), reinterpret_cast<timespec *>(a[2]),
                                              reinterpret_cast<timespec *>(a[3])));
        case SYS_rt_tgsigqueueinfo: {
            const SignalsBlocked meanwhile;
            a[0] = kernel_process(as_int(a[0]));
            a[1] = to_kernel_id(as_int(a[1]));
            return as_result(call.make());
        }
        case SYS_rt_sigqueueinfo:
        case SYS_pidfd_open:
        case SYS_prlimit64:
        case SYS_process_vm_readv:
        case SYS_process_vm_writev:
            a[0] = kernel_process(as_int(a[0]));
            break;
        case SYS_sched_setaffinity:
        case SYS_sched_getaffinity:
        case SYS_sched_setscheduler:
        case SYS_sched_getscheduler:
        case SYS_sched_setparam:
        case SYS_sched_getparam:
        case SYS_sched_setattr:
        case SYS_sched_getattr:
        case SYS_sched_rr_get_interval:
            a[0] = kernel_task(as_int(a[0]));
            break;
        case SYS_getpriority:
        case SYS_setpriority:
        case SYS_ioprio_get:
        case SYS_ioprio_set: {
            // Both count from another number: which of them is one process.
            const long one = number == SYS_getpriority || number == SYS_setpriority ? long{PRIO_PROCESS} : 1;
            if (a[0] == one) a[1] = kernel_task(as_int(a[1]));
            break;
        }
        default:
            break;
    }
    return as_result(call.make());
}
