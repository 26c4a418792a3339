#include "preload/smaps.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <charconv>

#include "preload/base/system.h"
#include "storage_hdf5/image.h"

namespace sckpt {
namespace {

struct Flag {
    std::string_view name;
    std::uint32_t attribute;
    const char *obstacle = nullptr;
};
constexpr Flag kFlags[] = {{"lo", image::kLocked},
                           {"lf", image::kLockedOnFault},
                           {"nr", image::kNoReserve},
                           {"gd", image::kGrowsDown},
                           {"hg", image::kHuge},
                           {"nh", image::kNoHuge},
                           {"dc", image::kDontFork},
                           {"wf", image::kWipeOnFork},
                           {"dd", image::kDontDump},
                           {"mg", image::kMergeable},
                           {"sr", image::kSequential},
                           {"rr", image::kRandom},
                           {"ht", image::kHugeTlb},
                           {"pf", 0, "memory of a device"},
                           {"io", 0, "memory of a device"},
                           {"um", 0, "memory under userfaultfd"},
                           {"uw", 0, "memory under userfaultfd"},
                           {"ui", 0, "memory under userfaultfd"},
                           {"ss", 0, "a shadow stack"},
                           {"sl", 0, "sealed memory (mseal)"}};

void read_flags(std::string_view words, Mapping &result) {
    while (!words.empty()) {
        const auto end = std::min(words.find(' '), words.size());
        for (const Flag &flag : kFlags)
            if (flag.name == words.substr(0, end)) {
                result.attributes |= flag.attribute;
                if (flag.obstacle) result.obstacle = flag.obstacle;
            }
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

std::uint32_t number_of(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool take_line(std::string_view &text, std::string_view &line) {
    const auto end = text.find('\n');
    if (end == text.npos) return false;
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return true;
}

// Reads the file and takes records off it as long as there are complete ones in the buffer.
template <class Take>
long read_records(const char *path, Take take) {
    static char buffer[64 << 10];  // a path has at most 4 KiB, four times that where characters are escaped
    const int fd = static_cast<int>(sys::open(path, O_RDONLY));
    if (fd < 0) return fd;
    size_t used = 0;
    long got;
    while ((got = sys::read(fd, buffer + used, sizeof buffer - used)) > 0 || got == -EINTR) {
        if (got < 0) continue;
        std::string_view text(buffer, used + static_cast<size_t>(got));
        if (!take(text)) break;
        used = text.size();
        if (used == sizeof buffer) {
            got = -E2BIG;
            break;
        }
        memmove(buffer, text.data(), used);
    }
    sys::close(fd);
    return got < 0 ? got : 0;
}

}  // namespace

bool next_mapping(std::string_view &text, Mapping &result) {
    std::string_view rest = text, line;
    result = {};
    if (!take_line(rest, line) || !parse_maps_line(line, result.line)) return false;
    while (take_line(rest, line)) {
        if (line.starts_with("KernelPageSize:")) result.page_kib = number_of(line.substr(15));
        if (line.starts_with("ProtectionKey:") && number_of(line.substr(14)) != 0)
            result.obstacle = "memory with a protection key";
        if (!line.starts_with("VmFlags:")) continue;
        read_flags(line.substr(8), result);
        if (result.line.name.starts_with("[v")) result.obstacle = nullptr;
        if (!(result.attributes & image::kHugeTlb)) result.page_kib = 0;
        text = rest;
        return true;
    }
    return false;
}

long for_each_mapping(bool (*use)(void *, const Mapping &), void *context) {
    const long error = read_records("/proc/thread-self/smaps", [&](std::string_view &text) {
        for (Mapping mapping; next_mapping(text, mapping);)
            if (!use(context, mapping)) return false;
        return true;
    });
    if (error != -ENOENT) return error;
    return read_records("/proc/thread-self/maps", [&](std::string_view &text) {
        for (Mapping mapping; next_maps_line(text, mapping.line); mapping = {})
            if (!use(context, mapping)) return false;
        return true;
    });
}

}  // namespace sckpt
