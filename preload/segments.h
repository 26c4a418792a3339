// System V shared memory: the ids that the program knows stay what they are, whatever the kernel's are after a restart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sckpt {

inline constexpr std::string_view kSegmentName = "/SYSV";  // so begin the names of its mappings

struct Segment {
    int id = -1;           // as the program knows it
    int kernel_id = -1;    // in this incarnation
    int key = 0;           // 0: IPC_PRIVATE
    std::size_t size = 0;  // bytes
    unsigned mode = 0;
    bool removed = false;  // IPC_RMID: it goes with its last user
};

// What a mapping with this inode, which is the kernel's id, belongs to; false when the kernel does not know it.
bool find_segment(std::uint64_t inode, Segment &segment);

// One that the program has asked for, and that is not among the `count` kernel ids in `attached`: -1 when there is
// none.
int unattached_segment(const int *attached, std::size_t count);

// Makes the segment again, or finds the one that another rank has made, under `key`.  Returns the kernel's id, to which
// the program's is translated from now on, or a negative errno.
long make_segment(const Segment &segment, int key);

}  // namespace sckpt
