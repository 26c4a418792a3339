// Descriptors that are more than a path: what is in them, how they are made again, and how the others are named.
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "preload/base/clock.h"
#include "preload/files.h"
#include "preload/shared_memory.h"
#include "preload/wrap.h"

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

bool read_all(int fd, std::string &content) {
    size_t have = 0;
    long got = 1;
    while (have < content.size() &&
           (got = system_call(SYS_pread64, fd, as_long(content.data() + have), static_cast<long>(content.size() - have),
                              static_cast<long>(have))) > 0)
        have += static_cast<size_t>(got);
    return have == content.size();
}

bool copy_nameless(OpenFile &file) {
    file.content.resize(static_cast<size_t>(file.info.st_size));
    // O_DIRECT would want aligned memory.
    if ((file.flags & O_ACCMODE) != O_WRONLY && !(file.flags & O_DIRECT)) return read_all(file.fd, file.content);
    char name[64];
    snprintf(name, sizeof name, "/proc/thread-self/fd/%d", file.fd);
    const int fd = static_cast<int>(sys::open(name, O_RDONLY));
    if (fd < 0) return false;
    const bool good = read_all(fd, file.content);
    sys::close(fd);
    // Closing any descriptor of a file gives up the POSIX locks that the process has on it.
    take_locks(file);
    return good;
}

bool write_all(int fd, const std::string &content) {
    for (size_t have = 0; have < content.size();) {
        const long put = sys::write(fd, content.data() + have, content.size() - have);
        if (put <= 0) return false;
        have += static_cast<size_t>(put);
    }
    return true;
}

timespec time_fact(const std::string &facts, const char *name) {
    long long seconds = 0, ns = 0;
    const size_t at = facts.find(name);
    if (at != std::string::npos) sscanf(facts.c_str() + at + strlen(name), ": (%lld, %lld)", &seconds, &ns);
    return {static_cast<time_t>(seconds), static_cast<long>(ns)};
}

// Expirations that were not read are made again by starting the timer that long ago: the kernel counts them when it is
// read.  One for a point in time of a clock that can be set stays at its point, all others have as much left as before.
long open_timer(const OpenFile &file) {
    const auto clock = static_cast<long>(fact(file.facts, "clockid", 10));
    const long fd = system_call(SYS_timerfd_create, clock, (file.flags & O_NONBLOCK) | TFD_CLOEXEC);
    if (fd < 0) return fd;
    itimerspec value{time_fact(file.facts, "it_interval"), time_fact(file.facts, "it_value")};
    const std::int64_t left = to_ns(value.it_value), interval = to_ns(value.it_interval);
    const auto ticks = static_cast<std::int64_t>(fact(file.facts, "ticks", 10));
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    const auto flags = static_cast<long>(fact(file.facts, "settime flags", 8));
    const bool at_point = wall && (flags & TFD_TIMER_ABSTIME);
    if (left == 0 && ticks == 0) return fd;
    long armed = 0;
    if (ticks > 0 && (interval == 0 || left == 0)) {
        value = {{0, 0}, {0, 1}};
        armed = system_call(SYS_timerfd_settime, fd, 0, as_long(&value), 0);
    } else if (ticks > 0 || at_point) {
        const std::int64_t due = (at_point ? file.cut_time : kernel_time(static_cast<clockid_t>(clock))) + left;
        value.it_value = to_timespec(std::max<std::int64_t>(due - ticks * interval, 1));
        armed = system_call(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME | (at_point ? flags : 0), as_long(&value), 0);
    } else {
        armed = system_call(SYS_timerfd_settime, fd, 0, as_long(&value), 0);
    }
    if (armed >= 0) return fd;
    sys::close(static_cast<int>(fd));
    return armed;
}

// A kernel before 6.5 does not say which kind an eventfd is.  All is stopped: of two, one of the semaphore kind gives
// one and the other both.
bool is_semaphore(const OpenFile &file, std::uint64_t count) {
    const std::uint64_t added = count < 2 ? 2 - count : 0;
    std::uint64_t got = 0;
    if (added && sys::write(file.fd, &added, sizeof added) < 0) return false;
    sys::read(file.fd, &got, sizeof got);
    const bool semaphore = got == 1;
    std::uint64_t left = count + added - got;
    for (; left > count; --left) sys::read(file.fd, &got, sizeof got);
    const std::uint64_t back = count - left;
    if (back) sys::write(file.fd, &back, sizeof back);
    return semaphore;
}

// A file without a name once more by its number, with the program's flags, seals and place.
long open_by_number(int fd, const OpenFile &file) {
    char path[64];
    snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
    const long opened = sys::open(path, file.flags & ~O_NOFOLLOW);  // the path is a link
    if (opened < 0) return opened;
    if (file.seals && file.kind == FileKind::memory) system_call(SYS_fcntl, opened, F_ADD_SEALS, file.seals);
    const long moved = system_call(SYS_lseek, opened, file.offset, SEEK_SET);
    return moved < 0 ? moved : opened;
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
    const long opened = open_by_number(static_cast<int>(fd), file);
    sys::close(static_cast<int>(fd));
    return opened;
}

// Its mappings are there already, with what they show; only what lies behind them is missing.
long open_mapped(const OpenFile &file, int object) {
    struct stat now {};
    system_call(SYS_fstat, object, as_long(&now));
    system_call(SYS_ftruncate, object, file.info.st_size);
    const auto mapped = static_cast<size_t>(now.st_size);
    if (file.content.size() > mapped)
        system_call(SYS_pwrite64, object, as_long(file.content.data() + mapped),
                    static_cast<long>(file.content.size() - mapped), now.st_size);
    return open_by_number(object, file);
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
        case FileKind::socket:
            file.refusal = copy_unread(file);
            return file.refusal.empty();
        case FileKind::eventfd:
            file.semaphore = fact(file.facts, "eventfd-semaphore", 10, 2) == 2
                                 ? is_semaphore(file, fact(file.facts, "eventfd-count", 16))
                                 : fact(file.facts, "eventfd-semaphore", 10);
            return true;
        case FileKind::timerfd:
            file.cut_time = kernel_time(CLOCK_REALTIME);
            return true;
        default:
            return true;
    }
}

std::string describe_refused(const OpenFile &file) {
    const std::string who = "descriptor " + std::to_string(file.fd) + " is ";
    if (S_ISREG(file.info.st_mode) && file.info.st_size > kLargestCopy)
        return who + "the deleted file " + file.path + " of " + std::to_string(file.info.st_size) +
               " bytes, of which at most " + std::to_string(kLargestCopy) + " can be kept";
    if (S_ISDIR(file.info.st_mode)) return who + "the removed directory " + file.path;
    if (S_ISSOCK(file.info.st_mode)) return who + describe_socket(file.fd);
    if (S_ISFIFO(file.info.st_mode)) return who + "a pipe to another process (" + file.path + ")";
    if (S_ISCHR(file.info.st_mode)) return who + "the device " + file.path;
    if (S_ISREG(file.info.st_mode)) return who + "the POSIX message queue " + file.path;
    constexpr std::pair<const char *, const char *> kNames[] = {{"pidfd", "a pidfd"},
                                                                {"userfaultfd", "a userfaultfd"},
                                                                {"io_uring", "an io_uring"},
                                                                {"perf_event", "a perf event"},
                                                                {"bpf", "a BPF object"},
                                                                {"fanotify", "a fanotify group"},
                                                                {"seccomp", "a seccomp listener"}};
    for (const auto &[part, name] : kNames)
        if (file.path.find(part) != std::string::npos) return who + name;
    return who + file.path;
}

long open_special(const OpenFile &file) {
    switch (file.kind) {
        case FileKind::eventfd: {
            const std::uint64_t count = fact(file.facts, "eventfd-count", 16);
            const long semaphore = file.semaphore ? EFD_SEMAPHORE : 0;
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
        case FileKind::inotify:
            return open_watches(file);
        case FileKind::deleted:
        case FileKind::memory:
            if (const int object = restored_object(file.info.st_dev, file.info.st_ino); object >= 0)
                return open_mapped(file, object);
            return open_nameless(file);
        default:
            return -EINVAL;
    }
}

namespace {

constexpr std::uint32_t kManner = EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP;

long control(const OpenFile &file, int operation, const EpollMember &member, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = member.data;
    return system_call(SYS_epoll_ctl, file.fd, operation, member.fd, as_long(&event));
}

// A one-shot member that has fired waits for nothing, not even for errors, which a new one always does.  So it is made
// to fire again, if there is anything to report of it.
long add_fired(const OpenFile &file, const EpollMember &member) {
    long error = control(file, EPOLL_CTL_ADD, member, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLONESHOT);
    if (error < 0) return error;
    epoll_event fired{};
    if (system_call(SYS_epoll_wait, file.fd, as_long(&fired), 1, 0) < 1)
        error = control(file, EPOLL_CTL_MOD, member, member.events);
    return error;
}

}  // namespace

// Members that have fired first: nothing else is reported then.
long add_members(const OpenFile &file) {
    for (const bool fired : {true, false})
        for (const EpollMember &member : file.members) {
            if (((member.events & EPOLLONESHOT) && !(member.events & ~kManner)) != fired) continue;
            const long error = fired ? add_fired(file, member) : control(file, EPOLL_CTL_ADD, member, member.events);
            if (error < 0) return error;
        }
    return 0;
}

std::string lock_holder(const OpenFile &file) {
    for (const FileLock &lock : file.locks) {
        struct flock region {};
        region.l_type = lock.write ? F_WRLCK : F_RDLCK;
        region.l_start = lock.start;
        region.l_len = lock.length;
        if (lock.kind != FileLock::Kind::flock && system_call(SYS_fcntl, file.fd, F_GETLK, as_long(&region)) == 0 &&
            region.l_type != F_UNLCK && region.l_pid > 0)
            return "process " + std::to_string(region.l_pid);
    }
    // Of flock(2) the kernel tells only here: "1: FLOCK ADVISORY WRITE pid major:minor:inode start end".
    std::string table(64 << 10, 0);
    const long length = sys::read_file("/proc/locks", table.data(), table.size());
    table.resize(static_cast<size_t>(std::max(length, 0l)));
    const size_t at = table.find(":" + std::to_string(file.info.st_ino) + " ");
    int process = 0;
    if (at != std::string::npos) {
        const size_t start = table.rfind('\n', at);
        if (sscanf(table.c_str() + (start == std::string::npos ? 0 : start + 1), "%*d: %*s %*s %*s %d", &process) ==
                1 &&
            process > 0)
            return "process " + std::to_string(process);
    }
    return "another process";
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
