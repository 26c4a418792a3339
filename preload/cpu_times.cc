// CPU time that the process has used, by the functions that do not ask a clock: it goes on from the cut.  The clocks
// themselves are in clocks.cc, and the time of single threads in thread_state.cc.
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "preload/deadlines.h"
#include "preload/resources.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Usage {
    std::int64_t user = 0, system = 0;  // nanoseconds
    long counts[5] = {};                // page faults, blocks, switches: those that only rise
    long largest = 0;                   // resident, KiB

    Usage() = default;
    explicit Usage(const rusage &from)
        : user(to_ns(from.ru_utime)),
          system(to_ns(from.ru_stime)),
          counts{from.ru_minflt, from.ru_majflt, from.ru_inblock, from.ru_oublock, from.ru_nvcsw + from.ru_nivcsw},
          largest(from.ru_maxrss) {}
};
struct Both {
    Usage process, children;
};
// At the cut, as the program sees it; and what the kernel had counted when the restored process went on from there.
Both at_cut, at_restart;

timeval to_timeval(std::int64_t ns) { return {ns > 0 ? ns / kSecondNs : 0, ns > 0 ? ns % kSecondNs / 1000 : 0}; }

Usage kernel_usage(int who) {
    rusage now{};
    system_call(SYS_getrusage, who, as_long(&now));
    return Usage(now);
}

void add(rusage &usage, const Usage &before, const Usage &start) {
    usage.ru_utime = to_timeval(to_ns(usage.ru_utime) + before.user - start.user);
    usage.ru_stime = to_timeval(to_ns(usage.ru_stime) + before.system - start.system);
    long *const counts[] = {&usage.ru_minflt, &usage.ru_majflt, &usage.ru_inblock, &usage.ru_oublock, &usage.ru_nivcsw};
    for (int i = 0; i < 5; ++i) *counts[i] += before.counts[i] - start.counts[i];
    if (usage.ru_maxrss < before.largest) usage.ru_maxrss = before.largest;
}

Usage program_usage(int who, const Usage &before, const Usage &start) {
    rusage now{};
    system_call(SYS_getrusage, who, as_long(&now));
    add(now, before, start);
    return Usage(now);
}

clock_t to_ticks(std::int64_t ns) { return ns / (kSecondNs / sysconf(_SC_CLK_TCK)); }

}  // namespace

void record_cpu_times() {
    at_cut.process = program_usage(RUSAGE_SELF, at_cut.process, at_restart.process);
    at_cut.children = program_usage(RUSAGE_CHILDREN, at_cut.children, at_restart.children);
    at_restart = {kernel_usage(RUSAGE_SELF), kernel_usage(RUSAGE_CHILDREN)};
}

void restore_cpu_times() { at_restart = {kernel_usage(RUSAGE_SELF), kernel_usage(RUSAGE_CHILDREN)}; }

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int getrusage(__rusage_who_t who, rusage *usage) noexcept {
    if (!recording() || !restored_process) return real::getrusage(who, usage);
    const int result = real::getrusage(who, usage);
    if (result != 0) return result;
    if (who == RUSAGE_SELF) add(*usage, at_cut.process, at_restart.process);
    if (who == RUSAGE_CHILDREN) add(*usage, at_cut.children, at_restart.children);
    if (who == RUSAGE_THREAD && self.record) {
        usage->ru_utime = to_timeval(to_ns(usage->ru_utime) + self.record->kernel.user_time_shift);
        usage->ru_stime = to_timeval(to_ns(usage->ru_stime) + self.record->kernel.system_time_shift);
    }
    return result;
}

SCKPT_WRAPPER clock_t clock() noexcept {
    if (!recording() || !restored_process) return real::clock();
    return program_time(CLOCK_PROCESS_CPUTIME_ID) / (kSecondNs / CLOCKS_PER_SEC);
}

SCKPT_WRAPPER clock_t times(tms *used) noexcept {
    recording();
    const clock_t passed = real::times(used);
    if (!restored_process || passed == -1) return passed;
    const Both &before = at_cut, &start = at_restart;
    if (used) {
        used->tms_utime += to_ticks(before.process.user - start.process.user);
        used->tms_stime += to_ticks(before.process.system - start.process.system);
        used->tms_cutime += to_ticks(before.children.user - start.children.user);
        used->tms_cstime += to_ticks(before.children.system - start.children.system);
    }
    return passed + to_ticks(shift_of(CLOCK_MONOTONIC));
}
