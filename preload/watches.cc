// inotify(7).  The kernel tells the number, inode and mask of each watch, but not the path: that is noted when it is
// added, and believed at the cut only if it still leads to the same inode.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>

#include "preload/files.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Noted {
    int number;
    std::uint64_t inode;
    std::string path;
};
Spin lock;
std::vector<Noted> *noted = nullptr;

void note(int number, const char *path, std::uint32_t mask) {
    const long fd = sys::open(path, O_PATH | (mask & IN_DONT_FOLLOW ? O_NOFOLLOW : 0));
    if (fd < 0) return;
    char link[64], whole[PATH_MAX];
    struct stat info {};
    system_call(SYS_fstat, fd, as_long(&info));
    snprintf(link, sizeof link, "/proc/thread-self/fd/%ld", fd);
    const long length = system_call(SYS_readlink, as_long(link), as_long(whole), sizeof whole);
    sys::close(static_cast<int>(fd));
    if (length <= 0) return;
    const std::string found(whole, static_cast<std::size_t>(length));
    Locked locked(lock);
    if (!noted) noted = new std::vector<Noted>;
    const bool known = std::ranges::any_of(*noted, [&](const Noted &one) {
        return one.number == number && one.inode == info.st_ino && one.path == found;
    });
    if (!known) noted->push_back({number, info.st_ino, found});
}

std::string path_of(int number, std::uint64_t inode) {
    if (!noted) return {};
    for (const Noted &one : *noted) {
        struct stat info {};
        if (one.number == number && one.inode == inode &&
            system_call(SYS_lstat, as_long(one.path.c_str()), as_long(&info)) == 0 && info.st_ino == inode)
            return one.path;
    }
    return {};
}

}  // namespace

bool read_watches(OpenFile &file) {
    const std::string who = "descriptor " + std::to_string(file.fd) + " is an inotify instance ";
    int waiting = 0;
    system_call(SYS_ioctl, file.fd, FIONREAD, as_long(&waiting));
    if (waiting > 0) file.refusal = who + "with events that have not been read";
    for (std::size_t at = file.facts.find("inotify wd:"); at != std::string::npos;
         at = file.facts.find("inotify wd:", at + 1)) {
        Watch watch{};
        unsigned long inode = 0;
        unsigned number = 0;
        if (sscanf(file.facts.c_str() + at, "inotify wd:%x ino:%lx sdev:%*x mask:%x", &number, &inode, &watch.mask) !=
            3)
            continue;
        watch.number = static_cast<int>(number);
        watch.path = path_of(watch.number, inode);
        if (watch.path.empty())
            file.refusal = who + "that watches a file (inode " + std::to_string(inode) + ") whose path has changed";
        file.watches.push_back(std::move(watch));
    }
    std::ranges::sort(file.watches, {}, &Watch::number);
    return file.refusal.empty();
}

// Numbers are given in ascending order and never again: what lies between is added and removed.
long open_watches(const OpenFile &file) {
    const long fd = system_call(SYS_inotify_init1, (file.flags & O_NONBLOCK) | IN_CLOEXEC);
    if (fd < 0) return fd;
    int next = 1;
    for (const Watch &watch : file.watches) {
        for (; next < watch.number; ++next) {
            const long number = system_call(SYS_inotify_add_watch, fd, as_long("/"), IN_DELETE_SELF);
            if (number >= 0) system_call(SYS_inotify_rm_watch, fd, number);
        }
        const long number = system_call(SYS_inotify_add_watch, fd, as_long(watch.path.c_str()),
                                        static_cast<long>(watch.mask | IN_DONT_FOLLOW));
        if (number != watch.number) {
            sys::close(static_cast<int>(fd));
            return number < 0 ? number : -EEXIST;
        }
        ++next;
    }
    // Removing has left events.
    int waiting = 0;
    char events[4096];
    while (system_call(SYS_ioctl, fd, FIONREAD, as_long(&waiting)) == 0 && waiting > 0)
        if (sys::read(static_cast<int>(fd), events, sizeof events) <= 0) break;
    return fd;
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int inotify_add_watch(int fd, const char *path, std::uint32_t mask) noexcept {
    if (!recording()) return real::inotify_add_watch(fd, path, mask);
    Busy busy;
    const int number = real::inotify_add_watch(fd, path, mask);
    if (number >= 0) note(number, path, mask);
    return number;
}
