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

// All words have two letters.
constexpr std::uint16_t word_at(const char *text) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(text[0]) << 8 | static_cast<unsigned char>(text[1]));
}

void read_flags(std::string_view words, Mapping &result) {
    for (; words.size() >= 2; words.remove_prefix(std::min<size_t>(3, words.size()))) {
        const std::uint16_t word = word_at(words.data());
        for (const Flag &flag : kFlags)
            if (word_at(flag.name.data()) == word) {
                result.attributes |= flag.attribute;
                if (flag.obstacle) result.obstacle = flag.obstacle;
            }
    }
}

// The number behind the key, which begins a line; 0 where there is none.
std::uint32_t number_of(std::string_view text, std::string_view key) {
    const auto at = text.rfind(key);
    if (at == text.npos) return 0;
    text.remove_prefix(at + key.size());
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

// There may be a hundred thousand mappings, while the program stands still: of twenty lines only those that matter are
// looked at.  VmFlags is the last one, behind the first line, whose path may hold anything.
bool next_mapping(std::string_view &text, Mapping &result) {
    constexpr std::string_view kFlagsKey = "\nVmFlags: ";
    std::string_view rest = text, line, flags;
    result = {};
    if (!take_line(rest, line) || !parse_maps_line(line, result.line)) return false;
    const auto *key = static_cast<const char *>(memmem(rest.data(), rest.size(), kFlagsKey.data(), kFlagsKey.size()));
    if (!key) return false;
    const std::string_view numbers = rest.substr(0, static_cast<size_t>(key - rest.data()));
    rest.remove_prefix(numbers.size() + kFlagsKey.size());
    if (!take_line(rest, flags)) return false;
    read_flags(flags, result);
    if (number_of(numbers.substr(numbers.rfind('\n') + 1), "ProtectionKey:") != 0)
        result.obstacle = "memory with a protection key";
    if (result.line.name.starts_with("[v")) result.obstacle = nullptr;
    if (result.attributes & image::kHugeTlb) result.page_kib = number_of(numbers, "\nKernelPageSize:");
    text = rest;
    return true;
}

long for_each_mapping_named(bool (*use)(void *, const Mapping &), void *context) {
    return read_records("/proc/thread-self/maps", [&](std::string_view &text) {
        for (Mapping mapping; next_maps_line(text, mapping.line); mapping = {})
            if (!use(context, mapping)) return false;
        return true;
    });
}

long for_each_mapping(bool (*use)(void *, const Mapping &), void *context) {
    const long error = read_records("/proc/thread-self/smaps", [&](std::string_view &text) {
        for (Mapping mapping; next_mapping(text, mapping);)
            if (!use(context, mapping)) return false;
        return true;
    });
    return error == -ENOENT ? for_each_mapping_named(use, context) : error;
}

}  // namespace sckpt
