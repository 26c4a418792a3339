// Raw system calls on the calling thread: it is parked, or has just been made again, with all signals blocked.
#include "preload/thread_state.h"

#include <bit>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "preload/base/clock.h"
#include "preload/base/log.h"
#include "preload/base/system.h"

namespace sckpt {
namespace {

// sched_setattr(2), which glibc 2.36 does not declare.
struct Attributes {
    std::uint32_t size = sizeof(Attributes), policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0;
    bool operator==(const Attributes &) const = default;
};
static_assert(sizeof(Attributes) == 48);

KernelSide launched, launched_before;

Attributes attributes_now() {
    Attributes now;
    system_call(SYS_sched_getattr, 0, as_long(&now), sizeof now, 0);
    now.size = sizeof now;
    return now;
}

void note_scheduling(KernelSide &kernel) {
    const Attributes now = attributes_now();
    kernel.policy = now.policy;
    kernel.priority = now.priority;
    kernel.policy_flags = now.flags;
    kernel.nice = now.nice;
    kernel.runtime = now.runtime;
    kernel.deadline = now.deadline;
    kernel.period = now.period;
    memset(kernel.cpus, 0, sizeof kernel.cpus);
    const long bytes = system_call(SYS_sched_getaffinity, 0, sizeof kernel.cpus, as_long(kernel.cpus));
    kernel.cpu_bytes = bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
    const long slack = system_call(SYS_prctl, PR_GET_TIMERSLACK);
    kernel.timer_slack = slack > 0 ? static_cast<std::uint64_t>(slack) : 0;
}

struct CpuTimes {
    std::int64_t all, user, system;
};
CpuTimes cpu_times_now() {
    rusage usage{};
    system_call(SYS_getrusage, RUSAGE_THREAD, as_long(&usage));
    return {kernel_time(CLOCK_THREAD_CPUTIME_ID), to_ns(usage.ru_utime), to_ns(usage.ru_stime)};
}

bool has(const KernelSide &side, std::size_t cpu) { return side.cpus[cpu / 64] >> cpu % 64 & 1; }
bool same_cpus(const KernelSide &a, const KernelSide &b) { return memcmp(a.cpus, b.cpus, sizeof a.cpus) == 0; }

// Which of the launcher's processors, counting from the lowest.
std::size_t place_of(const KernelSide &side, std::size_t cpu) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < cpu; ++i) place += has(side, i);
    return place;
}
std::size_t at_place(const KernelSide &side, std::size_t place) {
    std::size_t all = 0;
    for (const std::uint64_t word : side.cpus) all += static_cast<std::size_t>(std::popcount(word));
    place %= all ? all : 1;
    std::size_t cpu = 0;
    for (; cpu + 1 < KernelSide::kCpuWords * 64; ++cpu)
        if (has(side, cpu) && place-- == 0) break;
    return cpu;
}

void translate_cpus(KernelSide &kernel) {
    if (!kernel.cpu_bytes || same_cpus(launched, launched_before)) return;
    if (same_cpus(kernel, launched_before)) {
        memcpy(kernel.cpus, launched.cpus, sizeof kernel.cpus);
        return;
    }
    KernelSide translated;
    for (std::size_t cpu = 0; cpu < KernelSide::kCpuWords * 64; ++cpu) {
        if (!has(kernel, cpu)) continue;
        const std::size_t there =
            has(launched_before, cpu) ? at_place(launched, place_of(launched_before, cpu)) : cpu;
        translated.cpus[there / 64] |= 1ull << there % 64;
    }
    memcpy(kernel.cpus, translated.cpus, sizeof kernel.cpus);
}

void restore_scheduling(KernelSide &kernel) {
    translate_cpus(kernel);
    KernelSide now;
    note_scheduling(now);
    if (kernel.cpu_bytes && !same_cpus(kernel, now) &&
        system_call(SYS_sched_setaffinity, 0, static_cast<long>(kernel.cpu_bytes), as_long(kernel.cpus)) < 0)
        say(Severity::warning, "a thread was bound to processors that are not allowed here: it runs on any");
    if (kernel.nice == launched_before.nice) kernel.nice = launched.nice;
    Attributes wanted{.policy = kernel.policy,
                      .flags = kernel.policy_flags,
                      .nice = kernel.nice,
                      .priority = kernel.priority,
                      .runtime = kernel.runtime,
                      .deadline = kernel.deadline,
                      .period = kernel.period};
    if (wanted != attributes_now() && system_call(SYS_sched_setattr, 0, as_long(&wanted), 0) < 0)
        say(Severity::warning, "a thread had policy %u, priority %u, nice value %d, which is not allowed here",
            kernel.policy, kernel.priority, kernel.nice);
    if (kernel.timer_slack && kernel.timer_slack != now.timer_slack)
        system_call(SYS_prctl, PR_SET_TIMERSLACK, static_cast<long>(kernel.timer_slack));
}

}  // namespace

void note_first_scheduling() { note_scheduling(launched); }

void note_kernel_side(KernelSide &kernel) {
    note_scheduling(kernel);
    const CpuTimes now = cpu_times_now();
    kernel.cpu_time = now.all + kernel.cpu_shift;
    kernel.user_time = now.user + kernel.user_time_shift;
    kernel.system_time = now.system + kernel.system_time_shift;
}

void begin_scheduling_again() {
    launched_before = launched;
    launched = {};
    note_scheduling(launched);
}

void restore_cpu_time(KernelSide &kernel) {
    const CpuTimes now = cpu_times_now();
    kernel.cpu_shift = kernel.cpu_time - now.all;
    kernel.user_time_shift = kernel.user_time - now.user;
    kernel.system_time_shift = kernel.system_time - now.system;
}

void restore_kernel_side(KernelSide &kernel) {
    restore_cpu_time(kernel);
    restore_scheduling(kernel);
}

}  // namespace sckpt
