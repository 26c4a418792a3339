#include "preload/generations.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdio>

#include "mpi_coord/coordinator.h"
#include "preload/base/system.h"
#include "preload/settings.h"

namespace sckpt {
namespace {

struct DirectoryEntry {  // getdents64(2)
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

// The largest number that a directory entry begins with, partial and aborted generations included: numbers are not
// used twice in one incarnation.
std::uint32_t largest_number(const std::string &directory) {
    const long fd = sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    if (fd < 0) return 0;
    std::uint32_t largest = 0;
    alignas(8) char buffer[8192];
    for (long got; (got = system_call(SYS_getdents64, fd, as_long(buffer), sizeof buffer)) > 0;)
        for (long at = 0; at < got;) {
            const auto *entry = reinterpret_cast<const DirectoryEntry *>(buffer + at);
            std::uint32_t number = 0;
            std::from_chars(entry->name, entry->name + strlen(entry->name), number);
            if (number > largest) largest = number;
            at += entry->length;
        }
    sys::close(static_cast<int>(fd));
    return largest;
}

std::string make_partial() {
    const std::string parent = incarnation_directory();
    system_call(SYS_mkdir, as_long(settings().directory.c_str()), 0700);
    system_call(SYS_mkdir, as_long(parent.c_str()), 0700);
    static std::uint32_t last = 0;  // kept generations may be retired, their numbers are not used again
    const std::uint32_t found = largest_number(parent);
    last = (found > last ? found : last) + 1;
    char name[32];
    std::snprintf(name, sizeof name, "/%04u.partial", last);
    const std::string partial = parent + name;
    return system_call(SYS_mkdir, as_long(partial.c_str()), 0700) < 0 ? std::string() : partial;
}

}  // namespace

std::string begin_generation() {
    char path[PATH_MAX] = "";
    if (mpi::world_rank() == 0) {
        const std::string partial = make_partial();
        if (partial.size() < sizeof path) strcpy(path, partial.c_str());
    }
    mpi::broadcast(path, sizeof path, 0);
    return path;
}

void discard_generation(const std::string &partial) {
    if (!partial.empty()) system_call(SYS_rmdir, as_long(partial.c_str()));
}

std::string generation_name(const std::string &partial) {
    const size_t start = partial.rfind('/') + 1;
    return partial.substr(start, partial.find('.', start) - start);
}

std::uint32_t generation_number(const std::string &partial) {
    const std::string name = generation_name(partial);
    std::uint32_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

void report_failed_rank(const std::string &partial, const std::string &sentence) {
    char name[64];
    std::snprintf(name, sizeof name, "/rank%05d.failed", mpi::world_rank());
    const std::string path = partial + name;
    const long fd = sys::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return;
    sys::write(static_cast<int>(fd), sentence.data(), sentence.size());
    sys::close(static_cast<int>(fd));
}

}  // namespace sckpt
