// Records of /proc/thread-self/smaps (proc(5)): a mapping with what the kernel was told about it.  Parsed without
// allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/base/maps.h"

namespace sckpt {

struct Mapping {
    MapsLine line;
    std::uint32_t attributes = 0;    // image::Attribute bits, as far as the kernel shows them
    std::uint32_t page_kib = 0;      // of kHugeTlb
    const char *obstacle = nullptr;  // why such memory cannot be saved, "memory of a device" for example
};

// Takes the next complete record off `text`.  False when there is none: `text` then begins with what there is of it.
bool next_mapping(std::string_view &text, Mapping &result);

// Calls `use` for each mapping of this process by ascending address, with what /proc/thread-self/maps says where there
// is no smaps.  `use` returns false to stop.  Returns a negative errno when neither can be read.  Not reentrant. The
// kernel walks all page tables for it, and writes 700 bytes for a mapping: about 7 ms per GiB in memory and 1.5 us per
// mapping.
long for_each_mapping(bool (*use)(void *context, const Mapping &mapping), void *context);

// The same, of /proc/thread-self/maps alone: no attributes, and of obstacles what the name tells.  A fifth of the time
// for each mapping, and none for what is in memory.
long for_each_mapping_named(bool (*use)(void *context, const Mapping &mapping), void *context);

}  // namespace sckpt
