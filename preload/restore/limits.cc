#include "preload/restore/limits.h"

#include <sys/resource.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace sckpt::restore {

namespace {

std::uint64_t limit(int resource) {
    rlimit value{};
    if (getrlimit(resource, &value) != 0 || value.rlim_cur == RLIM_INFINITY) return ~0ull;
    return value.rlim_cur;
}

std::string read_all(const char *path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::uint64_t free_memory(std::string_view meminfo) {
    std::istringstream lines{std::string(meminfo)};
    std::uint64_t kibibytes = 0;
    bool found = false;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string name;
        std::uint64_t value = 0;
        if (!(fields >> name >> value)) continue;
        if (name == "MemAvailable:") found = true;
        if (name == "MemAvailable:" || name == "SwapFree:") kibibytes += value;
    }
    return found ? kibibytes * 1024 : ~0ull;
}

std::vector<std::string> cpu_flags(std::string_view cpuinfo) {
    std::istringstream lines{std::string(cpuinfo)};
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || !line.starts_with("flags")) continue;
        std::istringstream words(line.substr(colon + 1));
        return {std::istream_iterator<std::string>(words), {}};
    }
    return {};
}

std::expected<std::vector<std::string>, std::string> read_cpu_flags() {
    auto flags = cpu_flags(read_all("/proc/cpuinfo"));
    if (flags.empty()) return std::unexpected("cannot find the processor's flags in /proc/cpuinfo");
    return flags;
}

Limits read_limits() {
    Limits limits;
    limits.stack = limit(RLIMIT_STACK);
    limits.address_space = limit(RLIMIT_AS);
    limits.data = limit(RLIMIT_DATA);
    limits.memory = free_memory(read_all("/proc/meminfo"));
    std::istringstream count(read_all("/proc/sys/vm/max_map_count"));
    if (std::uint64_t value = 0; count >> value) limits.mappings = value;
    return limits;
}

}  // namespace sckpt::restore
