// What the restorer leaves for the rank it has brought back.  The structure lies inside the image, at the address
// recorded as Process::handover; the restorer fills it last, then loads Process::resume and jumps.  The restorer's
// own pages (with the strings of the new environment) stay mapped: the rank copies what it needs and unmaps them.
#pragma once

#include <cstdint>

namespace sckpt::restore {

struct Handover {
    std::uint64_t restored = 0;           // 0 in every image, 1 once the restorer has filled this
    std::uint64_t restorer_start = 0;     // the mapping to unmap
    std::uint64_t restorer_length = 0;    // bytes
    std::uint64_t environment = 0;        // address, inside that mapping: NAME=value strings, each with its NUL
    std::uint64_t environment_length = 0; // bytes, all strings together
    std::uint64_t generation = 0;         // address, inside that mapping: path of the generation, with its NUL
    std::int64_t started_ns = 0;          // CLOCK_REALTIME when sckpt-restore began
};

}  // namespace sckpt::restore
