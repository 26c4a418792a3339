#include "preload/base/maps.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <charconv>

namespace sckpt {
namespace {

// Takes a number off the front of `text`, and the one character that must follow it.
bool take_number(std::string_view &text, std::uint64_t &value, int base, char after) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) return after == ' ';
    if (text.front() != after) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

bool parse_maps_line(std::string_view line, MapsLine &result) {
    result = {};
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (!take_number(line, result.start, 16, '-') || !take_number(line, result.end, 16, ' ')) return false;
    if (line.size() < 5 || line[4] != ' ' || result.end <= result.start) return false;
    result.protection = static_cast<std::uint32_t>((line[0] == 'r' ? PROT_READ : 0) | (line[1] == 'w' ? PROT_WRITE : 0) |
                                                   (line[2] == 'x' ? PROT_EXEC : 0));
    result.shared = line[3] == 's';
    line.remove_prefix(5);
    std::uint64_t major = 0, minor = 0;
    if (!take_number(line, result.offset, 16, ' ') || !take_number(line, major, 16, ':') ||
        !take_number(line, minor, 16, ' ') || !take_number(line, result.inode, 10, ' '))
        return false;
    result.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    const auto name = line.find_first_not_of(' ');
    if (name != line.npos) result.name = line.substr(name);
    return true;
}

bool next_maps_line(std::string_view &text, MapsLine &result) {
    const auto end = text.find('\n');
    if (end == text.npos) return false;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return parse_maps_line(line, result);
}

}  // namespace sckpt
