// Clocks that must not run backwards for the program: after a restart they continue from the cut, whatever the node.
#pragma once

#include <sys/time.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "preload/base/system.h"

namespace sckpt {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline constexpr int kShiftedClocks = 16;

// What is added to the kernel's time to give the program's, nanoseconds by clock id; all zero before a restart.  Clocks
// of threads and of other processes are not among them: see program_clock() in deadlines.h.
// Written in a restored process before any other thread exists.  Also for MPI_Wtime, whose clock is the lower half's.
inline std::int64_t clock_shift[kShiftedClocks] = {};
inline bool clocks_shifted = false;
// Rises when shifts change: a time that was read before must not get a shift of after.
inline std::atomic<std::uint32_t> clock_changes{0};

inline std::int64_t shift_of(clockid_t clock) { return clock >= 0 && clock < kShiftedClocks ? clock_shift[clock] : 0; }
inline std::int64_t to_ns(const timespec &time) { return time.tv_sec * kSecondNs + time.tv_nsec; }
inline std::int64_t to_ns(const timeval &time) { return time.tv_sec * kSecondNs + time.tv_usec * 1000; }
// Never negative: the kernel refuses such times.
inline timespec to_timespec(std::int64_t ns) {
    if (ns < 0) ns = 0;
    return {ns / kSecondNs, ns % kSecondNs};
}
// As the kernel has it, nanoseconds: not shifted.
inline std::int64_t kernel_time(clockid_t clock) {
    timespec now{};
    system_call(SYS_clock_gettime, clock, as_long(&now));
    return to_ns(now);
}

}  // namespace sckpt
