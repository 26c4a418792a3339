// Directories of generations: numbering, and the partial one that is being written.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "preload/base/system.h"

namespace sckpt {

// Collective over the stopped ranks: rank 0 makes r<N>/<next>.partial and tells the others its path, or why not.
std::expected<std::string, std::string> begin_generation();

// "0007" of ".../0007.partial", and the number itself.
std::string_view generation_name(std::string_view partial);
std::uint32_t generation_number(std::string_view partial);

// For a generation whose writer cannot say itself that it has failed, because it was killed or never ran.  In rank 0,
// whose writer is the committer: removes the partial directory and writes the log's line.  In another rank: leaves the
// marker by which the committer learns of it.  Allocates nothing: usable in a handler.
void give_up_generation(const char *partial, const char *sentence);

// Calls visit(descriptor of the directory, name) for each entry, "." and ".." too.  Returns a negative errno when the
// directory cannot be opened.  Allocates nothing.
template <class Visit>
long for_each_name(const char *directory, Visit visit) {
    struct Entry {  // getdents64(2)
        std::uint64_t inode;
        std::int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    const long fd = sys::open(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    alignas(8) char buffer[4096];
    for (long got; (got = system_call(SYS_getdents64, fd, as_long(buffer), sizeof buffer)) > 0;)
        for (long at = 0; at < got;) {
            const auto *entry = reinterpret_cast<const Entry *>(buffer + at);
            visit(static_cast<int>(fd), entry->name);
            at += entry->length;
        }
    return sys::close(static_cast<int>(fd));
}

// Removes a partial directory, with whatever the writers have put into it; they find it gone.  Allocates nothing.
void remove_generation(const char *partial);

}  // namespace sckpt
