// Can this image run on this machine?  Pure comparisons; the present values come from limits.h.
// Each returns nothing when all is well, else the sentence with which the restore is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "preload/restore/plan.h"
#include "preload/restore/source.h"

namespace sckpt::restore {

using Problem = std::optional<std::string>;

/// All CPU features that the image's node had must be here: the program may have chosen its code by them.
Problem check_cpu(std::span<const std::string> recorded, std::span<const std::string> present);

/// In bytes.
Problem check_page_size(std::uint64_t recorded, std::uint64_t present);

/// The image must be of this rank and of a world of this size.
Problem check_world(const image::Process &recorded, std::uint32_t rank, std::uint32_t world_size);

/// What the system grants, in bytes unless said otherwise; the largest value where nothing limits it.
struct Limits {
    std::uint64_t stack = ~0ull;          // RLIMIT_STACK
    std::uint64_t address_space = ~0ull;  // RLIMIT_AS
    std::uint64_t data = ~0ull;           // RLIMIT_DATA
    std::uint64_t memory = ~0ull;         // that can be had without pushing others out, with swap
    std::uint64_t mappings = ~0ull;       // number: vm.max_map_count
};

Problem check_limits(const Source &source, const Plan &plan, const Limits &limits);

}  // namespace sckpt::restore
