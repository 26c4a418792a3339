// The two kinds of tree of the SETTLE agreement, as arithmetic: nothing is stored, nothing is built.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace sckpt::mpi_coord::tree {

// Global tree: binomial over the world ranks, root 0.  A rank's parent has the lowest set bit cleared, so no path
// is longer than log2(size).

inline std::uint32_t parent(std::uint32_t rank) { return rank & (rank - 1); }

// Calls use(child) for every child of `rank` in a world of `size` ranks.
template <typename Use>
void for_each_child(std::uint32_t rank, std::uint32_t size, Use use) {
    const std::uint64_t limit = rank == 0 ? size : std::uint64_t{1} << std::countr_zero(rank);
    for (std::uint64_t bit = 1; bit < limit && rank + bit < size; bit <<= 1) {
        use(static_cast<std::uint32_t>(rank + bit));
    }
}

inline std::uint32_t child_count(std::uint32_t rank, std::uint32_t size) {
    std::uint32_t count = 0;
    for_each_child(rank, size, [&](std::uint32_t) { ++count; });
    return count;
}

// Edges between rank 0 and the deepest rank.
inline std::uint32_t depth(std::uint32_t size) {
    std::uint32_t deepest = 0;
    for (std::uint32_t bits = 1; (std::uint64_t{1} << bits) - 1 < size; ++bits) deepest = bits;
    return deepest;
}

// Overlay of one communicator: binary heap order over the positions of its sorted members.

// Positions next to `position` (parent first, then children) among `count`.
inline std::vector<std::uint32_t> overlay_neighbours(std::uint32_t position, std::uint32_t count) {
    std::vector<std::uint32_t> found;
    found.reserve(3);
    if (position > 0) found.push_back((position - 1) / 2);
    for (std::uint64_t child = 2 * std::uint64_t{position} + 1; child <= 2 * std::uint64_t{position} + 2; ++child) {
        if (child < count) found.push_back(static_cast<std::uint32_t>(child));
    }
    return found;
}

}  // namespace sckpt::mpi_coord::tree
