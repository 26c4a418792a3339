// What the restorer leaves for the rank it has brought back.  The structure lies inside the image, at the address
// recorded as Process::handover; the restorer fills it last, then loads Process::resume and jumps.  The restorer's
// own pages (with the strings of the new environment) stay mapped: the rank copies what it needs and unmaps them.
//
// What else is true when the rank continues (sckpt_save_context() returns 1, see base/context.h):
// - memory, vdso, brk and FS/GS base are as recorded; brk is not where the kernel refused PR_SET_MM_MAP.  Regions of
//   kind `lower` hold what their file holds; the lower arena is not mapped;
// - a file that is mapped shared and writable has the size of the cut again, and in the mapped parts its contents.  It
//   was made anew (mode 0600) if it was missing.  Other shared mappings of files show what the file holds now;
// - the process has one thread, with a new pid.  Nothing is registered for it with the kernel: no rseq area, no robust
//   list, no address to clear when it ends (set_tid_address), no alternate signal stack;
// - all signals are blocked, also those two that the C library keeps to itself, and their actions are those of the
//   start of a program (default or ignored);
// - only the descriptors 0, 1 and 2 are open, those of the new step; working directory, umask and limits are the new
//   step's as well; /proc/self/exe is sckpt-restore;
// - the environment here is all of sckpt-restore's, SCKPT_RESTART included; SCKPT_PRELOAD (env.h) has become
//   LD_PRELOAD.
#pragma once

#include <cstdint>

namespace sckpt::restore {

struct Handover {
    std::uint64_t restored = 0;            // 0 in every image, 1 once the restorer has filled this
    std::uint64_t restorer_start = 0;      // the mapping to unmap
    std::uint64_t restorer_length = 0;     // bytes
    std::uint64_t environment = 0;         // address, inside that mapping: NAME=value strings, each with its NUL
    std::uint64_t environment_length = 0;  // bytes, all strings together
    std::uint64_t generation = 0;          // address, inside that mapping: path of the generation, with its NUL
    std::int64_t started_ns = 0;           // CLOCK_REALTIME when sckpt-restore began
};

}  // namespace sckpt::restore
