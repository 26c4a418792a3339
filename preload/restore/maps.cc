#include "preload/restore/maps.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "preload/base/maps.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

std::expected<std::vector<Mapping>, std::string> parse_maps(std::string_view content) {
    std::vector<Mapping> result;
    while (!content.empty()) {
        const std::string_view line = content.substr(0, content.find('\n'));
        content.remove_prefix(std::min(line.size() + 1, content.size()));
        MapsLine parsed;
        if (!parse_maps_line(line, parsed)) return std::unexpected(text("'", line, "' is not a line of /proc/self/maps"));
        const char permissions[] = {parsed.protection & PROT_READ ? 'r' : '-', parsed.protection & PROT_WRITE ? 'w' : '-',
                                    parsed.protection & PROT_EXEC ? 'x' : '-', parsed.shared ? 's' : 'p', 0};
        result.push_back({parsed.start, parsed.end, permissions, parsed.offset, std::string(parsed.name)});
    }
    return result;
}

std::expected<std::vector<Mapping>, std::string> read_maps() {
    std::ifstream file("/proc/self/maps");
    if (!file) return std::unexpected(text("cannot read /proc/self/maps: ", std::strerror(errno)));
    return parse_maps(std::string{std::istreambuf_iterator<char>(file), {}});
}

std::vector<VdsoPiece> vdso_pieces(const std::vector<Mapping> &maps) {
    std::vector<VdsoPiece> pieces;
    for (const auto &mapping : maps) {
        if (mapping.name.starts_with("[vdso") || mapping.name.starts_with("[vvar")) {
            pieces.push_back({mapping.name, mapping.start, mapping.end - mapping.start});
        }
    }
    return pieces;
}

std::span<const std::byte> vdso_code(const std::vector<VdsoPiece> &pieces) {
    for (const auto &piece : pieces) {
        if (piece.name == "[vdso]") return {reinterpret_cast<const std::byte *>(piece.start), piece.length};
    }
    return {};
}

}  // namespace sckpt::restore
