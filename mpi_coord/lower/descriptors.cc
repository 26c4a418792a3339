// Calls that make a descriptor, noted in the arena: what the lower half opened is neither recorded nor restored.
// Calls that libc makes inside itself do not pass here; those it keeps open beyond one call are covered by name.
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "mpi_coord/lower/arena.h"

using namespace sckpt::lower;
using sckpt::as_long;
using sckpt::system_call;

namespace {

int result_of(long value) {
    if (value >= 0) return static_cast<int>(value);
    errno = static_cast<int>(-value);
    return -1;
}

// A restored lower half opens not just what the one before had open, and takes its numbers after the program.  Unlike
// sys::set_aside() this leaves it as it is whether exec(2) closes the descriptor.  Where the limit of open files is lower,
// it stays where it is.
long out_of_the_way(long fd) {
    if (fd <= STDERR_FILENO || fd >= sckpt::sys::kFirstOwnDescriptor) return fd;
    const bool closed_on_exec = system_call(SYS_fcntl, fd, F_GETFD) & FD_CLOEXEC;
    const long high = system_call(SYS_fcntl, fd, closed_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, sckpt::sys::kFirstOwnDescriptor);
    if (high < 0) return fd;
    system_call(SYS_close, fd);
    return high;
}

int opened(long value) { return result_of(mark_open(out_of_the_way(value))); }
int opened_pair(long result, int *pair) {
    for (int i = 0; result == 0 && i < 2; ++i) pair[i] = mark_open(out_of_the_way(pair[i]));
    return result_of(result);
}

template <class Function>
Function *next(const char *name) {
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

// The mode argument is passed on whether it was given or not, as the kernel ignores it then.
int open_at(int directory, const char *path, int flags, va_list arguments) {
    const int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
    return opened(system_call(SYS_openat, directory, as_long(path), flags, mode));
}

}  // namespace

extern "C" {

#define OPEN_LIKE(name)                                            \
    int name(const char *path, int flags, ...) {                   \
        va_list arguments;                                         \
        va_start(arguments, flags);                                \
        const int fd = open_at(AT_FDCWD, path, flags, arguments);  \
        va_end(arguments);                                         \
        return fd;                                                 \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)
#undef OPEN_LIKE

#define OPENAT_LIKE(name)                                           \
    int name(int directory, const char *path, int flags, ...) {     \
        va_list arguments;                                          \
        va_start(arguments, flags);                                 \
        const int fd = open_at(directory, path, flags, arguments);  \
        va_end(arguments);                                          \
        return fd;                                                  \
    }
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)
#undef OPENAT_LIKE

int creat(const char *path, mode_t mode) {
    return opened(system_call(SYS_openat, AT_FDCWD, as_long(path), O_CREAT | O_WRONLY | O_TRUNC, mode));
}
int close(int fd) {
    mark_closed(fd);
    return result_of(system_call(SYS_close, fd));
}
int dup(int fd) noexcept { return opened(system_call(SYS_dup, fd)); }
int dup2(int fd, int target) noexcept { return result_of(mark_open(system_call(SYS_dup2, fd, target))); }
int dup3(int fd, int target, int flags) noexcept {
    return result_of(mark_open(system_call(SYS_dup3, fd, target, flags)));
}
int socket(int domain, int type, int protocol) noexcept {
    return opened(system_call(SYS_socket, domain, type, protocol));
}
int socketpair(int domain, int type, int protocol, int pair[2]) noexcept {
    return opened_pair(system_call(SYS_socketpair, domain, type, protocol, as_long(pair)), pair);
}
int accept(int fd, sockaddr *address, socklen_t *length) {
    return opened(system_call(SYS_accept4, fd, as_long(address), as_long(length), 0));
}
int accept4(int fd, sockaddr *address, socklen_t *length, int flags) {
    return opened(system_call(SYS_accept4, fd, as_long(address), as_long(length), flags));
}
int pipe2(int pair[2], int flags) noexcept { return opened_pair(system_call(SYS_pipe2, as_long(pair), flags), pair); }
int pipe(int pair[2]) noexcept { return pipe2(pair, 0); }
int eventfd(unsigned value, int flags) noexcept { return opened(system_call(SYS_eventfd2, value, flags)); }
int epoll_create(int size) noexcept {
    if (size <= 0) return result_of(-EINVAL);
    return opened(system_call(SYS_epoll_create1, 0));
}
int epoll_create1(int flags) noexcept { return opened(system_call(SYS_epoll_create1, flags)); }
int memfd_create(const char *name, unsigned flags) noexcept {
    return opened(system_call(SYS_memfd_create, as_long(name), flags));
}
int timerfd_create(clockid_t clock, int flags) noexcept {
    return opened(system_call(SYS_timerfd_create, clock, flags));
}
int inotify_init1(int flags) noexcept { return opened(system_call(SYS_inotify_init1, flags)); }
int inotify_init() noexcept { return inotify_init1(0); }

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    const long result = system_call(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? opened(result) : result_of(result);
}
int fcntl64(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return fcntl(fd, command, argument);
}

FILE *fopen(const char *path, const char *mode) {
    FILE *file = next<FILE *(const char *, const char *)>("fopen")(path, mode);
    if (file) mark_open(fileno(file));
    return file;
}
FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }
int fclose(FILE *file) {
    mark_closed(fileno(file));
    return next<int(FILE *)>("fclose")(file);
}
DIR *opendir(const char *path) {
    DIR *directory = next<DIR *(const char *)>("opendir")(path);
    if (directory) mark_open(dirfd(directory));
    return directory;
}
int closedir(DIR *directory) {
    mark_closed(dirfd(directory));
    return next<int(DIR *)>("closedir")(directory);
}
int shm_open(const char *name, int flags, mode_t mode) {
    const int fd = next<int(const char *, int, mode_t)>("shm_open")(name, flags, mode);
    return mark_open(out_of_the_way(fd));
}
int mkstemp(char *name) { return mark_open(out_of_the_way(next<int(char *)>("mkstemp")(name))); }
int mkstemp64(char *name) { return mkstemp(name); }

}  // extern "C"
