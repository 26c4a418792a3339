// From the tables of an image to the list of what the restorer does.  Pure: no system call, no global state.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "preload/restore/order.h"
#include "preload/restore/source.h"

namespace sckpt::restore {

/// End of user space on x86-64 with four-level page tables (TASK_SIZE_MAX), bytes.
inline constexpr std::uint64_t kAddressLimit = 0x7ffffffff000;

/// Where the lower half keeps its arena: recorded in no region, and never a place for the restorer.
inline constexpr std::uint64_t kArena = 0x600000000000;
inline constexpr std::uint64_t kArenaMargin = 1ull << 40;

struct Interval {
    std::uint64_t start = 0, end = 0;  // bytes, end exclusive
    bool operator==(const Interval &) const = default;
};

struct VdsoPiece {
    std::string name;  // [vdso], [vvar], ...
    std::uint64_t start = 0, length = 0;
};

struct Plan {
    std::vector<Step> steps;  // all maps by ascending address, then contents by position in the rank file, then protect
    std::string strings;      // names that steps refer to, each with its NUL
    std::vector<VdsoPiece> vdso;
    std::uint64_t map_count = 0;   // mappings that the kernel will hold
    std::uint64_t data_bytes = 0;  // read from the rank file into memory of the process (pages of files apart)
};

/// 8 bytes to be written into the code of the vdso, `offset` bytes from its start (vdso.h).
struct VdsoPatch {
    std::uint64_t offset, bytes;
};

/// Is it the mapping of [vdso] itself, not of its data?  Its contents are in the image.
bool holds_vdso_code(const SourceRegion &region);

/// Builds the plan.  Refuses, with a sentence, tables that contradict themselves: unsorted or overlapping regions, runs
/// outside their region or the file, contents for a mapping that keeps none, a handover that is not writable memory.
/// With `patches` the recorded vdso comes back as plain memory, with these bytes in it; without, the present one is to
/// be moved into its place, and Plan::vdso says where.
std::expected<Plan, std::string> make_plan(const Source &source, std::span<const VdsoPatch> patches = {});

/// What the restorer must stay away from: the image with room for heap and stack to grow, the lower arena, and
/// `current`, the mappings of this process.
std::vector<Interval> occupied_ranges(const Source &source, std::span<const Interval> current);

/// A free range of `length` bytes (a multiple of the page size) with a margin on both sides, or nothing.
std::optional<std::uint64_t> find_range(std::vector<Interval> occupied, std::uint64_t length);

/// Pairs each recorded piece of the vdso with the present one of the same name.  A sentence where they differ in
/// number, size or distance from each other: code in [vdso] finds [vvar] by distance.
std::expected<std::vector<VdsoMove>, std::string> match_vdso(std::span<const VdsoPiece> recorded,
                                                             std::span<const VdsoPiece> present);

}  // namespace sckpt::restore
