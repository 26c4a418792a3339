#include "preload/base/executable.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string_view>

#include "preload/base/system.h"

namespace sckpt::base {
namespace {

class File {
  public:
    // O_NONBLOCK: opening a fifo that lies under this name must not wait.
    explicit File(const char *path) : fd_(static_cast<int>(sys::open(path, O_RDONLY | O_NONBLOCK))) {}
    ~File() {
        if (fd_ >= 0) sys::close(fd_);
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    template <typename Struct>
    bool read_at(Struct &target, std::uint64_t offset) const {
        return system_call(SYS_pread64, fd_, as_long(&target), sizeof target, static_cast<long>(offset)) ==
               static_cast<long>(sizeof target);
    }

  private:
    int fd_;
};

bool is_executable_file(const char *path) {
    struct stat status {};
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

// directory/name into `found`; an empty directory is the working directory.  False: too long.
bool join(std::string_view directory, std::string_view name, char (&found)[PATH_MAX]) {
    if (directory.size() + name.size() + 2 > sizeof found) return false;
    char *end = found;
    if (!directory.empty()) {
        end = static_cast<char *>(mempcpy(end, directory.data(), directory.size()));
        *end++ = '/';
    }
    end = static_cast<char *>(mempcpy(end, name.data(), name.size()));
    *end = 0;
    return true;
}

}  // namespace

bool find_executable(const char *name, const char *search, char (&found)[PATH_MAX]) {
    if (!*name) return false;
    if (strchr(name, '/')) return join("", name, found) && is_executable_file(found);
    for (std::string_view rest = search;;) {
        const std::size_t colon = rest.find(':');
        if (join(rest.substr(0, colon), name, found) && is_executable_file(found)) return true;
        if (colon == std::string_view::npos) return false;
        rest.remove_prefix(colon + 1);
    }
}

const char *why_not_intercepted(const char *path) {
    struct stat status {};
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
    // The kernel takes no notice of either bit when it changes nothing, and of no group bit without group execution.
    const bool other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid();
    const bool other_group =
        (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 && status.st_gid != getegid();
    if (other_user || other_group) return "has the set-user-ID or set-group-ID bit";
    if (getxattr(path, "security.capability", nullptr, 0) > 0) return "has file capabilities";

    const File file(path);
    Elf64_Ehdr header{};
    if (!file.read_at(header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return nullptr;
    if (header.e_ident[EI_CLASS] == ELFCLASS32) return "is a 32-bit program";
    if (header.e_phentsize != sizeof(Elf64_Phdr)) return nullptr;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        if (!file.read_at(segment, header.e_phoff + std::uint64_t{i} * sizeof segment)) return nullptr;
        if (segment.p_type == PT_INTERP) return nullptr;
    }
    return "is statically linked";
}

}  // namespace sckpt::base
