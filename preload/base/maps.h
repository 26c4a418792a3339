// Lines of /proc/PID/maps (proc(5)), parsed without allocation: the text may be that of a process that is stopped.
#pragma once

#include <cstdint>
#include <string_view>

namespace sckpt {

struct MapsLine {
    std::uint64_t start = 0, end = 0;  // bytes
    std::uint32_t protection = 0;      // PROT_*
    bool shared = false;
    std::uint64_t offset = 0;          // into the file, bytes
    std::uint64_t device = 0;          // as makedev(3) gives it
    std::uint64_t inode = 0;
    std::string_view name;             // path or [name]; inside the text that was parsed; may be empty
};

// How many mappings a rank has beside those of the program, once restored: ours, and those of MPI, which maps memory
// of each rank of the node.  Generous: what it cannot map is found out too late.
constexpr std::uint64_t mappings_beside(std::uint64_t ranks) { return 64 + 2 * (ranks < 256 ? ranks : 256); }

// One line, with or without its newline.  False when it is none.
bool parse_maps_line(std::string_view line, MapsLine &result);

// Takes the next line off `text`.  False at the end or at a line that is none.
bool next_maps_line(std::string_view &text, MapsLine &result);

}  // namespace sckpt
