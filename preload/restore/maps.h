// The mappings of this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "preload/restore/plan.h"

namespace sckpt::restore {

struct Mapping {
    std::uint64_t start = 0, end = 0;  // bytes
    std::string permissions;           // as in proc(5): "r-xp"
    std::uint64_t offset = 0;
    std::string name;  // path or [name], may be empty
};

/// Parses /proc/PID/maps (proc(5)).  Lines that are none are an error.
std::expected<std::vector<Mapping>, std::string> parse_maps(std::string_view text);

/// Those of this process.
std::expected<std::vector<Mapping>, std::string> read_maps();

/// The kernel-provided ones that have to be moved along: [vdso], [vvar], [vvar_vclock]; not [vsyscall].
std::vector<VdsoPiece> vdso_pieces(const std::vector<Mapping> &maps);

/// The code in [vdso] among `pieces`, mappings of this process; empty when there is none.
std::span<const std::byte> vdso_code(const std::vector<VdsoPiece> &pieces);

}  // namespace sckpt::restore
