#include "spank_plugin/executable.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sckpt::plugin {
namespace {

class File {
  public:
    // O_NONBLOCK: opening a fifo that lies under this name must not wait.
    explicit File(const std::string &path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~File() {
        if (fd_ >= 0) close(fd_);
    }
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    int fd() const { return fd_; }

    template <typename Struct>
    bool read_at(Struct &target, std::uint64_t offset) const {
        return pread(fd_, &target, sizeof target, static_cast<off_t>(offset)) == static_cast<ssize_t>(sizeof target);
    }

  private:
    int fd_;
};

bool is_executable_file(const std::string &path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

}  // namespace

std::optional<std::string> find_executable(const std::string &name, const std::string &path) {
    if (name.find('/') != std::string::npos) return is_executable_file(name) ? std::optional(name) : std::nullopt;
    if (name.empty()) return std::nullopt;
    std::string_view rest = path;
    while (true) {
        const std::size_t colon = rest.find(':');
        std::string candidate(rest.substr(0, colon));
        candidate = candidate.empty() ? name : candidate + "/" + name;
        if (is_executable_file(candidate)) return candidate;
        if (colon == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(colon + 1);
    }
}

std::optional<std::string> why_not_intercepted(const std::string &path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    // The kernel takes no notice of either bit when it changes nothing, and of no group bit without group execution.
    const bool other_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid();
    const bool other_group =
        (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 && status.st_gid != getegid();
    if (other_user || other_group) return "has the set-user-ID or set-group-ID bit";
    if (getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) return "has file capabilities";

    const File file(path);
    Elf64_Ehdr header{};
    if (file.fd() < 0 || !file.read_at(header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return std::nullopt;
    if (header.e_ident[EI_CLASS] == ELFCLASS32) return "is a 32-bit program";
    if (header.e_phentsize != sizeof(Elf64_Phdr)) return std::nullopt;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        if (!file.read_at(segment, header.e_phoff + std::uint64_t{i} * sizeof segment)) return std::nullopt;
        if (segment.p_type == PT_INTERP) return std::nullopt;
    }
    return "is statically linked";
}

}  // namespace sckpt::plugin
