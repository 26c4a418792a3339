// Which descriptors are open, and of what kind: from /proc/thread-self/fd, /proc/thread-self/fdinfo and fstat.
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>

#include <algorithm>

#include "mpi_coord/half.h"
#include "preload/files.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Inherited {
    int fd;
    struct stat info;
};
std::vector<Inherited> *inherited = nullptr;

constexpr int kOwn = 65536;
std::atomic<std::uint8_t> own[kOwn / 8];

bool same_object(const struct stat &a, const struct stat &b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_rdev == b.st_rdev &&
           (a.st_mode & S_IFMT) == (b.st_mode & S_IFMT);
}

std::vector<int> open_descriptors() {
    std::vector<int> found;
    const int list = static_cast<int>(sys::open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY));
    if (list < 0) return found;
    alignas(dirent64) char buffer[8192];
    long length;
    while ((length = system_call(SYS_getdents64, list, as_long(buffer), sizeof buffer)) > 0)
        for (long at = 0; at < length;) {
            const auto *entry = reinterpret_cast<const dirent64 *>(buffer + at);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.') continue;
            const int fd = static_cast<int>(strtol(entry->d_name, nullptr, 10));
            if (fd != list) found.push_back(fd);
        }
    sys::close(list);
    std::ranges::sort(found);
    return found;
}

bool is_terminal(int fd) {
    char settings[256];
    return system_call(SYS_ioctl, fd, TCGETS, as_long(settings)) == 0;
}

// The same open file description?  Where kcmp(2) is forbidden, all is stopped and a flag that is set through one of two
// descriptors shows in the other, or not.
bool share(const OpenFile &a, const OpenFile &b) {
    if (!same_object(a.info, b.info) || a.flags != b.flags) return false;
    const long order = system_call(SYS_kcmp, sys::getpid(), sys::getpid(), KCMP_FILE, a.fd, b.fd);
    if (order >= 0) return order == 0;
    if (system_call(SYS_fcntl, a.fd, F_SETFL, a.flags ^ O_NONBLOCK) < 0) return false;
    const bool changed = (system_call(SYS_fcntl, b.fd, F_GETFL) ^ b.flags) & O_NONBLOCK;
    system_call(SYS_fcntl, a.fd, F_SETFL, a.flags);
    return changed;
}

// Which stream of the step the descriptor is, -1 when none.
int stream_of(const OpenFile &file, const std::vector<OpenFile> &lower) {
    if (!inherited) return -1;
    auto is = [&](int number) {
        return std::ranges::any_of(
            *inherited, [&](const Inherited &one) { return one.fd == number && same_object(one.info, file.info); });
    };
    if (file.fd <= 2 && is(file.fd)) return file.fd;
    const bool unique = S_ISFIFO(file.info.st_mode) || S_ISSOCK(file.info.st_mode) ||
                        (S_ISCHR(file.info.st_mode) && is_terminal(file.fd));
    // A file or /dev/null can be opened by the program itself just as well: only a duplicate is the stream.
    const bool duplicate = std::ranges::any_of(
        lower, [&](const OpenFile &other) { return other.kind == FileKind::stream && share(other, file); });
    if (!unique && !duplicate && file.fd > 2) return -1;
    for (int number = 0; number <= 2; ++number)
        if (is(number)) return number;
    return -1;
}

bool inherited_as_it_is(const OpenFile &file) {
    return inherited && std::ranges::any_of(*inherited, [&](const Inherited &one) {
               return one.fd == file.fd && same_object(one.info, file.info);
           });
}

bool is_message_queue(const OpenFile &file) {
    constexpr long kMagic = 0x19800202;  // MQUEUE_MAGIC of the kernel's ipc/mqueue.c
    struct statfs system {};
    return system_call(SYS_fstatfs, file.fd, as_long(&system)) == 0 && system.f_type == kMagic;
}

// Its name may have been removed while another hard link lives on, or lie in a place that this process cannot see.
bool is_found_by_name(const OpenFile &file) {
    struct stat now {};
    return file.path.starts_with("/proc/") || (system_call(SYS_stat, as_long(file.path.c_str()), as_long(&now)) == 0 &&
                                               now.st_dev == file.info.st_dev && now.st_ino == file.info.st_ino);
}

FileKind kind_by_type(const OpenFile &file) {
    const std::string_view path = file.path;
    switch (file.info.st_mode & S_IFMT) {
        case S_IFREG:
            if (path.starts_with("/memfd:")) return FileKind::memory;
            if (is_message_queue(file)) return FileKind::refused;
            // NFS keeps a deleted file under such a name until it is closed.
            if (file.info.st_nlink == 0 || path.find("/.nfs") != path.npos) return FileKind::deleted;
            return is_found_by_name(file) ? FileKind::regular : FileKind::deleted;
        case S_IFDIR:
            return file.info.st_nlink == 0 ? FileKind::refused : FileKind::directory;
        case S_IFCHR: {
            constexpr unsigned kMemoryDevices = 1;  // null, zero, full, random, urandom
            return major(file.info.st_rdev) == kMemoryDevices ? FileKind::device : FileKind::refused;
        }
        case S_IFIFO:
            return path.starts_with("pipe:") ? FileKind::pipe : FileKind::fifo;
        default:
            break;
    }
    if (path == "anon_inode:[eventfd]") return FileKind::eventfd;
    if (path == "anon_inode:[eventpoll]") return FileKind::epoll;
    if (path == "anon_inode:[timerfd]") return FileKind::timerfd;
    if (path == "anon_inode:[signalfd]") return FileKind::signalfd;
    if (path == "anon_inode:inotify") return FileKind::inotify;
    if (S_ISSOCK(file.info.st_mode)) return FileKind::socket;
    return FileKind::refused;
}

bool describe(int fd, OpenFile &file) {
    char name[64], text[8192];
    file.fd = fd;
    if (system_call(SYS_fstat, fd, as_long(&file.info)) < 0) return false;
    snprintf(name, sizeof name, "/proc/thread-self/fd/%d", fd);
    const long length = system_call(SYS_readlink, as_long(name), as_long(text), sizeof text);
    if (length > 0) file.path.assign(text, static_cast<size_t>(length));
    // A file about this process has another number in its name the next time.
    char process[48];
    snprintf(process, sizeof process, "/proc/%ld/", sys::getpid());
    if (file.path.starts_with(process)) file.path.replace(0, strlen(process), "/proc/self/");
    snprintf(process, sizeof process, "/proc/self/task/%ld/", sys::getpid());
    if (file.path.starts_with(process)) file.path.replace(0, strlen(process), "/proc/thread-self/");
    // Asking counts the expirations of a periodic timer up to now; until then they are not in fdinfo.
    itimerspec unused;
    if (file.path == "anon_inode:[timerfd]") system_call(SYS_timerfd_gettime, fd, as_long(&unused));
    snprintf(name, sizeof name, "/proc/thread-self/fdinfo/%d", fd);
    const long read = sys::read_file(name, text, sizeof text);
    if (read > 0) file.facts.assign(text, static_cast<size_t>(read));
    file.flags = static_cast<int>(fact(file.facts, "flags", 8));
    file.close_on_exec = file.flags & O_CLOEXEC;
    file.flags &= ~(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
    if (S_ISREG(file.info.st_mode)) file.flags &= ~O_TMPFILE;
    file.offset = static_cast<std::int64_t>(fact(file.facts, "pos", 10));
    file.thread = opener_of(fd);
    return true;
}

void read_members(OpenFile &file, const std::vector<OpenFile> &all) {
    for (size_t at = file.facts.find("\ntfd:"); at != std::string::npos; at = file.facts.find("\ntfd:", at + 1)) {
        EpollMember member{};
        unsigned long long data = 0;
        unsigned long inode = 0;
        if (sscanf(file.facts.c_str() + at, "\ntfd: %d events: %x data: %llx pos:%*d ino:%lx", &member.fd,
                   &member.events, &data, &inode) != 4)
            continue;
        member.data = data;
        const auto open = std::ranges::find(all, member.fd, &OpenFile::fd);
        if (open == all.end() || open->info.st_ino != inode) {
            file.kind = FileKind::refused;
            file.refusal = "descriptor " + std::to_string(file.fd) + " is an epoll instance that watches descriptor " +
                           std::to_string(member.fd) + ", which has been closed";
        }
        file.members.push_back(member);
    }
}

void read_locks(OpenFile &file) {
    for (size_t at = file.facts.find("\nlock:"); at != std::string::npos; at = file.facts.find("\nlock:", at + 1)) {
        char type[16], how[16], end[24];
        long long start = 0;
        if (sscanf(file.facts.c_str() + at, "\nlock: %*d: %15s %*s %15s %*d %*s %lld %23s", type, how, &start, end) !=
            4)
            continue;
        FileLock lock{};
        if (strcmp(type, "POSIX") == 0)
            lock.kind = FileLock::Kind::posix;
        else if (strcmp(type, "OFDLCK") == 0)
            lock.kind = FileLock::Kind::description;
        else if (strcmp(type, "FLOCK") == 0)
            lock.kind = FileLock::Kind::flock;
        else
            continue;
        lock.write = strcmp(how, "WRITE") == 0;
        lock.start = start;
        lock.length = strcmp(end, "EOF") == 0 ? 0 : strtoll(end, nullptr, 10) - start + 1;
        file.locks.push_back(lock);
    }
}

// Is the other end of a pipe in this process, or nowhere?
bool pipe_is_closed_circuit(const OpenFile &file, const std::vector<OpenFile> &all) {
    const bool reads = (file.flags & O_ACCMODE) != O_WRONLY, writes = (file.flags & O_ACCMODE) != O_RDONLY;
    if (reads && writes) return true;
    for (const OpenFile &other : all)
        if (same_object(file.info, other.info) && (other.flags & O_ACCMODE) != (file.flags & O_ACCMODE)) return true;
    pollfd state{file.fd, 0, 0};
    const timespec now{0, 0};
    system_call(SYS_ppoll, as_long(&state), 1, as_long(&now), 0, 8);
    return state.revents & (reads ? POLLHUP : POLLERR);
}

[[gnu::constructor]] void start() {
    if (recording()) note_inherited_files();
}

}  // namespace

std::uint64_t fact(const std::string &facts, const char *name, int base, std::uint64_t missing) {
    const std::string key = std::string(name) + ":";
    size_t at = facts.starts_with(key) ? 0 : facts.find("\n" + key);
    if (at == std::string::npos) return missing;
    at += key.size() + (facts[at] == '\n' ? 1 : 0);
    return strtoull(facts.c_str() + at, nullptr, base);
}

void note_inherited_files() {
    if (!inherited) inherited = new std::vector<Inherited>;
    inherited->clear();
    for (const int fd : open_descriptors()) {
        Inherited one{fd, {}};
        if (system_call(SYS_fstat, fd, as_long(&one.info)) == 0) inherited->push_back(one);
    }
}

void mark_own_descriptor(int fd) {
    if (fd >= 0 && fd < kOwn) own[fd / 8].fetch_or(static_cast<std::uint8_t>(1 << fd % 8));
}
void unmark_own_descriptor(int fd) {
    if (fd >= 0 && fd < kOwn) own[fd / 8].fetch_and(static_cast<std::uint8_t>(~(1 << fd % 8)));
}
bool is_own_descriptor(int fd) { return fd >= 0 && fd < kOwn && (own[fd / 8] >> fd % 8 & 1); }

std::vector<OpenFile> scan_files(bool content) {
    std::vector<OpenFile> all;
    for (const int fd : open_descriptors()) {
        if (is_own_descriptor(fd) || mpi::lower_owns_descriptor(fd)) continue;
        OpenFile file;
        if (!describe(fd, file)) continue;
        file.stream = stream_of(file, all);
        file.kind = file.stream >= 0 ? FileKind::stream : kind_by_type(file);
        const auto first = std::ranges::find_if(
            all, [&](const OpenFile &other) { return other.shares_with < 0 && share(other, file); });
        if (first != all.end()) file.shares_with = first->fd;
        all.push_back(std::move(file));
    }
    for (OpenFile &file : all)
        if ((file.kind == FileKind::socket || file.kind == FileKind::inotify) && inherited_as_it_is(file))
            file.kind = FileKind::foreign;
    look_at_sockets(all);
    look_at_terminals(all);
    for (OpenFile &file : all) {
        if (file.kind == FileKind::epoll) read_members(file, all);
        if (file.kind == FileKind::regular || file.kind == FileKind::deleted) read_locks(file);
        if ((file.kind == FileKind::pipe || file.kind == FileKind::fifo) && !pipe_is_closed_circuit(file, all))
            file.kind = FileKind::refused;
        if ((file.kind == FileKind::deleted || file.kind == FileKind::memory) && file.info.st_size > kLargestCopy)
            file.kind = FileKind::refused;
        if (file.kind == FileKind::inotify && file.shares_with < 0 && !read_watches(file))
            file.kind = FileKind::refused;
        if (file.kind == FileKind::pipe || file.kind == FileKind::fifo)
            file.capacity = static_cast<int>(system_call(SYS_fcntl, file.fd, F_GETPIPE_SZ));
        if (file.kind == FileKind::memory)
            file.seals = static_cast<int>(std::max(system_call(SYS_fcntl, file.fd, F_GET_SEALS), 0l));
        if (file.shares_with < 0 && file.kind != FileKind::stream && file.kind != FileKind::foreign) read_owner(file);
        if (file.kind == FileKind::refused && inherited_as_it_is(file)) file.kind = FileKind::foreign;
        if (file.kind == FileKind::refused && file.refusal.empty()) file.refusal = describe_refused(file);
        if (!content || file.shares_with >= 0) continue;
        const bool copied =
            file.kind == FileKind::terminal ? !file.terminal.is_master || copy_terminal(file, all) : copy_content(file);
        if (!copied) {
            file.kind = FileKind::refused;
            if (file.refusal.empty())
                file.refusal =
                    "the content of descriptor " + std::to_string(file.fd) + " (" + file.path + ") cannot be read";
        }
    }
    return all;
}

}  // namespace sckpt
