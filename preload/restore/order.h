// What sckpt-restore asks of the restorer: plain structs with absolute addresses, laid out in the restorer's own
// range.  Shared by the planner (ordinary C++) and the restorer (freestanding, no libc): nothing here may need either.
#pragma once

#include <cstdint>

#include "storage_hdf5/image.h"

namespace sckpt::restore {

enum class Action : std::uint32_t {
    map_anonymous,         // private, no file
    map_stack,             // the same, growing down
    map_anonymous_shared,  // MAP_SHARED without a file
    map_file_private,
    map_file_shared,  // first gives the file its size, and makes it if need be, where `file_size` says so
    read,             // from the rank file into place
    clear,    // write zeros where there are none: pages that differ, or may differ, from their file by being zero
    protect,  // mprotect to what the region has in the image
    advise,   // madvise; `flags` is the advice.  Not vital
    lock,     // mlock2 with `flags`.  Not vital
    store,    // writes the 8 bytes of `offset`
};

/// One thing to do.  A plan is an array of these, executed in order.
struct Step {
    Action action;
    std::uint32_t protection;  // PROT_*: of map_* and protect
    std::uint64_t address;     // page-aligned
    std::uint64_t length;      // bytes, a multiple of the page size
    std::uint64_t offset;      // bytes: in the mapped file, or of read in the rank file
    std::uint64_t file_size;   // bytes, of map_file_shared: the size that the file gets; 0: it is left alone
    std::uint32_t path;        // of map_file_*: offset of the name in Order::strings
    std::uint32_t flags;        // of map_*: MAP_* beside those that the action implies
};

/// A kernel-provided mapping ([vdso], [vvar], ...): parked inside the restorer's range while memory is replaced.
struct VdsoMove {
    std::uint64_t from, parked, to;  // addresses
    std::uint64_t length;            // bytes
};

inline constexpr int kMaxVdsoMoves = 8;

/// Kernel's struct prctl_mm_map without the tail, from Process.
struct MemoryLayout {
    std::uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end,
        env_start, env_end;
};

/// Everything that the restorer reads; it lies at the start of its range.  The entry code knows the offset of
/// `stack_top`.
struct Order {
    std::uint64_t stack_top;  // address, 16-aligned
    std::uint64_t range_start, range_length;
    std::uint64_t address_limit;  // end of user space, bytes
    const Step *steps;
    std::uint64_t step_count;
    const char *strings;  // paths, each with its NUL
    std::int32_t image;   // descriptor of the rank file; no other one above 2 is open
    std::uint32_t debug;  // 1: say what was refused but does not matter
    std::uint32_t move_count;
    std::uint32_t reserved;
    VdsoMove moves[kMaxVdsoMoves];
    MemoryLayout layout;
    std::uint64_t auxv, auxv_size;  // in the image
    std::uint64_t fs_base, gs_base;
    std::uint64_t handover;  // address of a Handover in the image
    std::uint64_t environment, environment_length;
    std::uint64_t generation;
    std::int64_t started_ns;
    image::Context resume;
};

}  // namespace sckpt::restore
