// Descriptors that are more than a path: what is in them, how they are made again, and how the others are named.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "preload/files.h"
#include "preload/wrap.h"

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, std::uint64_t)
#endif

namespace sckpt {
namespace {

// tee(2) leaves what it copies where it is.
bool copy_pipe(OpenFile &file) {
    int waiting = 0;
    if ((file.flags & O_ACCMODE) == O_WRONLY) return true;
    if (system_call(SYS_ioctl, file.fd, FIONREAD, as_long(&waiting)) < 0) return false;
    if (waiting <= 0) return true;
    int ends[2];
    if (system_call(SYS_pipe2, as_long(ends), O_CLOEXEC | O_NONBLOCK) < 0) return false;
    const long capacity = system_call(SYS_fcntl, file.fd, F_GETPIPE_SZ);
    if (capacity > 0) system_call(SYS_fcntl, ends[1], F_SETPIPE_SZ, capacity);
    bool good = system_call(SYS_tee, file.fd, ends[1], waiting, 0) == waiting;
    file.content.resize(static_cast<size_t>(waiting));
    size_t have = 0;
    while (good && have < file.content.size()) {
        const long got = sys::read(ends[0], file.content.data() + have, file.content.size() - have);
        good = got > 0;
        if (good) have += static_cast<size_t>(got);
    }
    sys::close(ends[0]);
    sys::close(ends[1]);
    return good;
}

bool copy_nameless(OpenFile &file) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file.fd);
    // By a description of its own: the descriptor may be for writing only.
    const int fd = static_cast<int>(sys::open(name, O_RDONLY));
    if (fd < 0) return false;
    file.content.resize(static_cast<size_t>(file.info.st_size));
    size_t have = 0;
    long got = 1;
    while (have < file.content.size() &&
           (got = system_call(SYS_pread64, fd, as_long(file.content.data() + have),
                              static_cast<long>(file.content.size() - have), static_cast<long>(have))) > 0)
        have += static_cast<size_t>(got);
    sys::close(fd);
    return have == file.content.size();
}

bool write_all(int fd, const std::string &content) {
    for (size_t have = 0; have < content.size();) {
        const long put = sys::write(fd, content.data() + have, content.size() - have);
        if (put <= 0) return false;
        have += static_cast<size_t>(put);
    }
    return true;
}

std::string address_text(const sockaddr_storage &address, socklen_t length) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (address.ss_family == AF_INET) {
        const auto &in = reinterpret_cast<const sockaddr_in &>(address);
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(ntohs(in.sin_port));
    }
    if (address.ss_family == AF_INET6) {
        const auto &in = reinterpret_cast<const sockaddr_in6 &>(address);
        inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
        return "[" + std::string(host) + "]:" + std::to_string(ntohs(in.sin6_port));
    }
    const auto &local = reinterpret_cast<const sockaddr_un &>(address);
    if (address.ss_family == AF_UNIX && length > offsetof(sockaddr_un, sun_path) && local.sun_path[0])
        return local.sun_path;
    return {};
}

std::string describe_socket(int fd) {
    auto option = [fd](int name) {
        int value = 0;
        socklen_t size = sizeof value;
        return system_call(SYS_getsockopt, fd, SOL_SOCKET, name, as_long(&value), as_long(&size)) < 0 ? -1 : value;
    };
    const int domain = option(SO_DOMAIN), type = option(SO_TYPE);
    const bool internet = domain == AF_INET || domain == AF_INET6, stream = type == SOCK_STREAM;
    const std::string family = internet               ? stream               ? "TCP"
                                                        : type == SOCK_DGRAM ? "UDP"
                                                                             : "raw IP"
                               : domain == AF_UNIX    ? "Unix-domain"
                               : domain == AF_NETLINK ? "netlink"
                                                      : "family " + std::to_string(domain);
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (system_call(SYS_getpeername, fd, as_long(&address), as_long(&length)) == 0) {
        const std::string peer = address_text(address, length);
        const std::string kind = stream ? " connection" : " socket";
        return "a " + family + kind + (peer.empty() ? "" : " to " + peer);
    }
    address = {};
    length = sizeof address;
    std::string here;
    if (system_call(SYS_getsockname, fd, as_long(&address), as_long(&length)) == 0)
        here = address_text(address, length);
    return "a " + family + (option(SO_ACCEPTCONN) > 0 ? " socket that listens" : " socket") +
           (here.empty() ? "" : (option(SO_ACCEPTCONN) > 0 ? " on " : " at ") + here);
}

timespec time_fact(const std::string &facts, const char *name) {
    long long seconds = 0, ns = 0;
    const size_t at = facts.find(name);
    if (at != std::string::npos) sscanf(facts.c_str() + at + strlen(name), ": (%lld, %lld)", &seconds, &ns);
    return {static_cast<time_t>(seconds), static_cast<long>(ns)};
}

long open_timer(const OpenFile &file) {
    const long fd = system_call(SYS_timerfd_create, static_cast<long>(fact(file.facts, "clockid", 10)),
                                (file.flags & O_NONBLOCK) | TFD_CLOEXEC);
    if (fd < 0) return fd;
    const itimerspec value{time_fact(file.facts, "it_interval"), time_fact(file.facts, "it_value")};
    const long armed = system_call(SYS_timerfd_settime, fd, 0, as_long(&value), 0);
    if (armed < 0) return armed;
    const std::uint64_t ticks = fact(file.facts, "ticks", 10);
    return ticks
               ? (armed < 0                                                                               ? armed
                  : system_call(SYS_ioctl, fd, static_cast<long>(TFD_IOC_SET_TICKS), as_long(&ticks)) < 0 ? -EOPNOTSUPP
                                                                                                          : fd)
               : fd;
}

long open_nameless(const OpenFile &file) {
    std::string name = file.path.substr(0, file.path.rfind('/'));
    long fd = -ENOENT;
    if (file.kind == FileKind::deleted)
        fd = sys::open(name.empty() ? "/" : name.c_str(), O_TMPFILE | O_RDWR,
                       static_cast<int>(file.info.st_mode & 07777));
    if (fd < 0) {
        const size_t colon = file.path.find(':');
        name = file.kind == FileKind::memory && colon != std::string::npos ? file.path.substr(colon + 1) : "sckpt";
        if (const size_t end = name.rfind(" (deleted)"); end != std::string::npos) name.resize(end);
        fd = system_call(SYS_memfd_create, as_long(name.c_str()), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    if (fd < 0) return fd;
    if (!write_all(static_cast<int>(fd), file.content)) return -EIO;
    // Again by its number, with the program's flags.
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%ld", fd);
    const long opened = sys::open(path, file.flags);
    sys::close(static_cast<int>(fd));
    if (opened < 0) return opened;
    const long moved = system_call(SYS_lseek, opened, file.offset, SEEK_SET);
    return moved < 0 ? moved : opened;
}

}  // namespace

bool copy_content(OpenFile &file) {
    switch (file.kind) {
        case FileKind::pipe:
        case FileKind::fifo:
            return copy_pipe(file);
        case FileKind::deleted:
        case FileKind::memory:
            return copy_nameless(file);
        default:
            return true;
    }
}

std::string describe_refused(const OpenFile &file) {
    const std::string who = "descriptor " + std::to_string(file.fd) + " is ";
    if (file.kind == FileKind::refused && S_ISREG(file.info.st_mode))
        return who + "the deleted file " + file.path + " of " + std::to_string(file.info.st_size) +
               " bytes, of which at most " + std::to_string(kLargestCopy) + " can be kept";
    if (S_ISDIR(file.info.st_mode)) return who + "the removed directory " + file.path;
    if (S_ISSOCK(file.info.st_mode)) return who + describe_socket(file.fd);
    if (S_ISFIFO(file.info.st_mode)) return who + "a pipe to another process (" + file.path + ")";
    if (S_ISCHR(file.info.st_mode)) return who + "the device " + file.path;
    if (file.path.find("inotify") != std::string::npos) return who + "an inotify instance";
    return who + file.path;
}

long open_special(const OpenFile &file) {
    switch (file.kind) {
        case FileKind::eventfd: {
            const std::uint64_t count = fact(file.facts, "eventfd-count", 16);
            const long semaphore = fact(file.facts, "eventfd-semaphore", 10) ? EFD_SEMAPHORE : 0;
            const long fd = system_call(SYS_eventfd2, 0, (file.flags & O_NONBLOCK) | semaphore | EFD_CLOEXEC);
            if (fd >= 0 && count && sys::write(static_cast<int>(fd), &count, sizeof count) < 0) return -EIO;
            return fd;
        }
        case FileKind::epoll:
            return system_call(SYS_epoll_create1, EPOLL_CLOEXEC);
        case FileKind::timerfd:
            return open_timer(file);
        case FileKind::signalfd: {
            const std::uint64_t mask = fact(file.facts, "sigmask", 16);
            return system_call(SYS_signalfd4, -1, as_long(&mask), 8, (file.flags & O_NONBLOCK) | O_CLOEXEC);
        }
        case FileKind::deleted:
        case FileKind::memory:
            return open_nameless(file);
        default:
            return -EINVAL;
    }
}

long add_members(const OpenFile &file) {
    for (const EpollMember &member : file.members) {
        epoll_event event{};
        event.events = member.events;
        event.data.u64 = member.data;
        const long error = system_call(SYS_epoll_ctl, file.fd, EPOLL_CTL_ADD, member.fd, as_long(&event));
        if (error < 0) return error;
    }
    return 0;
}

long take_locks(const OpenFile &file) {
    for (const FileLock &lock : file.locks) {
        long error;
        if (lock.kind == FileLock::Kind::flock) {
            error = system_call(SYS_flock, file.fd, (lock.write ? LOCK_EX : LOCK_SH) | LOCK_NB);
        } else {
            struct flock region {};
            region.l_type = lock.write ? F_WRLCK : F_RDLCK;
            region.l_start = lock.start;
            region.l_len = lock.length;
            error = system_call(SYS_fcntl, file.fd, lock.kind == FileLock::Kind::posix ? F_SETLK : F_OFD_SETLK,
                                as_long(&region));
        }
        if (error < 0) return error;
    }
    return 0;
}

}  // namespace sckpt
