// What this machine and this process have: the present side of the checks.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "preload/restore/checks.h"

namespace sckpt::restore {

/// getrlimit(2), /proc/meminfo and /proc/sys/vm/max_map_count.  What cannot be read limits nothing.
Limits read_limits();

/// MemAvailable and SwapFree of a /proc/meminfo (proc(5)), bytes; the largest value when they are not in it.
std::uint64_t free_memory(std::string_view meminfo);

/// The flags line of the first processor of a /proc/cpuinfo.
std::vector<std::string> cpu_flags(std::string_view cpuinfo);

/// Of this machine; a sentence when /proc/cpuinfo cannot be read.
std::expected<std::vector<std::string>, std::string> read_cpu_flags();

}  // namespace sckpt::restore
