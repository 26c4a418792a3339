// Who made a descriptor that is no opened path: like files_opened.cc, these calls note the thread and nothing else.
#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "preload/files.h"
#include "preload/wrap.h"

using namespace sckpt;

namespace {

int pair_noted(int result, const int pair[2]) {
    if (result != 0) return result;
    note_opener(pair[0]);
    note_opener(pair[1]);
    return result;
}

}  // namespace

// Those that can wait do so before anything is noted.
#define MAKES_ONE(name, parameters, arguments, qualifier) \
    SCKPT_WRAPPER int name parameters qualifier {         \
        if (!recording()) return real::name arguments;    \
        return note_opener(real::name arguments);         \
    }
MAKES_ONE(socket, (int domain, int type, int protocol), (domain, type, protocol), noexcept)
MAKES_ONE(eventfd, (unsigned value, int flags), (value, flags), noexcept)
MAKES_ONE(epoll_create, (int size), (size), noexcept)
MAKES_ONE(epoll_create1, (int flags), (flags), noexcept)
MAKES_ONE(timerfd_create, (clockid_t clock, int flags), (clock, flags), noexcept)
MAKES_ONE(signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), noexcept)
MAKES_ONE(inotify_init, (), (), noexcept)
MAKES_ONE(inotify_init1, (int flags), (flags), noexcept)
MAKES_ONE(memfd_create, (const char *name, unsigned flags), (name, flags), noexcept)
MAKES_ONE(dup, (int fd), (fd), noexcept)
MAKES_ONE(dup2, (int fd, int target), (fd, target), noexcept)
MAKES_ONE(dup3, (int fd, int target, int flags), (fd, target, flags), noexcept)
MAKES_ONE(shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode), )
MAKES_ONE(posix_openpt, (int flags), (flags), )
MAKES_ONE(mkostemp, (char *name, int flags), (name, flags), )
MAKES_ONE(mkostemp64, (char *name, int flags), (name, flags), )
MAKES_ONE(mkstemps, (char *name, int length), (name, length), )
MAKES_ONE(mkstemps64, (char *name, int length), (name, length), )
MAKES_ONE(mkostemps, (char *name, int length, int flags), (name, length, flags), )
MAKES_ONE(mkostemps64, (char *name, int length, int flags), (name, length, flags), )
#undef MAKES_ONE

SCKPT_WRAPPER int pipe(int pair[2]) noexcept {
    return recording() ? pair_noted(real::pipe(pair), pair) : real::pipe(pair);
}
SCKPT_WRAPPER int pipe2(int pair[2], int flags) noexcept {
    return recording() ? pair_noted(real::pipe2(pair, flags), pair) : real::pipe2(pair, flags);
}
SCKPT_WRAPPER int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
    if (!recording()) return real::socketpair(domain, type, protocol, pair);
    return pair_noted(real::socketpair(domain, type, protocol, pair), pair);
}
SCKPT_WRAPPER FILE *tmpfile() {
    return recording() ? note_opener(real::tmpfile()) : real::tmpfile();
}
SCKPT_WRAPPER FILE *tmpfile64() { return tmpfile(); }
SCKPT_WRAPPER DIR *opendir(const char *path) {
    if (!recording()) return real::opendir(path);
    DIR *directory = real::opendir(path);
    if (directory) note_opener(dirfd(directory));
    return directory;
}
