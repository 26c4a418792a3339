#include "spank_plugin/pmix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace sckpt::plugin {
namespace {

std::string bound_path(int fd) {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length) != 0) return {};
    if (address.sun_family != AF_UNIX || length <= offsetof(sockaddr_un, sun_path) || address.sun_path[0] != '/')
        return {};
    const std::size_t longest =
        std::min<std::size_t>(length - offsetof(sockaddr_un, sun_path), sizeof address.sun_path);
    return std::string(address.sun_path, strnlen(address.sun_path, longest));
}

// A listener takes the connection into its backlog (or the backlog is full: EAGAIN); a left-over file refuses it.
bool somebody_listens(const sockaddr_un &address) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return true;
    const bool refused =
        connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return !refused;
}

}  // namespace

std::string spool_directory_of_step(std::uint32_t job, std::uint32_t step) {
    // slurmstepd opens it among its first descriptors, before any plugin is loaded.
    constexpr int kDescriptors = 256;
    const std::string ending = "_" + std::to_string(job) + "." + std::to_string(step);
    for (int fd = 0; fd < kDescriptors; ++fd) {
        const std::string path = bound_path(fd);
        if (path.ends_with(ending)) return path.substr(0, path.find_last_of('/'));
    }
    return {};
}

std::expected<SocketFound, std::string> remove_stale_pmix_socket(const std::string &spool, std::uint32_t job,
                                                                 std::uint32_t step) {
    const std::string path = spool + "/stepd.slurm.pmix." + std::to_string(job) + "." + std::to_string(step);
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return SocketFound::kNone;
    sockaddr_un address{};
    if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid() || path.size() >= sizeof address.sun_path) {
        return SocketFound::kForeign;
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (somebody_listens(address)) return SocketFound::kAlive;
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
        return std::unexpected("stale socket " + path + " cannot be removed: " + std::strerror(errno));
    }
    return SocketFound::kRemoved;
}

}  // namespace sckpt::plugin
