// Who opened a file: calls that open one note the thread.  Everything else about a descriptor the kernel tells at the
// cut.
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <atomic>

#include "preload/files.h"
#include "preload/self_exe.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// Who has opened it, as the program knows threads; 0: nobody known.  A descriptor that is closed inside of libc keeps
// what it had until it is opened again.
constexpr int kOpened = 4096;
std::atomic<int> opened[kOpened];

void note(int fd, int thread) {
    if (fd >= 0 && fd < kOpened) opened[fd].store(thread, std::memory_order_relaxed);
}

// The mode is only there when the flags say so.
#define MODE_ARGUMENT(flags)                                \
    mode_t mode = 0;                                        \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
        va_list arguments;                                  \
        va_start(arguments, flags);                         \
        mode = va_arg(arguments, mode_t);                   \
        va_end(arguments);                                  \
    }

}  // namespace

int note_opener(int fd) {
    note(fd, program_thread_id());
    return fd;
}

FILE *note_opener(FILE *file) {
    if (file) note_opener(fileno(file));
    return file;
}

int opener_of(int fd) { return fd >= 0 && fd < kOpened ? opened[fd].load(std::memory_order_relaxed) : 0; }

}  // namespace sckpt

using namespace sckpt;

// Opening a FIFO can wait for its other end, so the thread is not Busy then.
SCKPT_WRAPPER int open(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags)
    path = resolve_self_executable(path);
    return recording() ? note_opener(real::open(path, flags, mode)) : real::open(path, flags, mode);
}
SCKPT_WRAPPER int open64(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags)
    return open(path, flags | O_LARGEFILE, mode);
}
SCKPT_WRAPPER int __open_2(const char *path, int flags) { return open(path, flags); }
SCKPT_WRAPPER int __open64_2(const char *path, int flags) { return open(path, flags); }

SCKPT_WRAPPER int openat(int directory, const char *path, int flags, ...) {
    MODE_ARGUMENT(flags)
    path = resolve_self_executable(path);
    return recording() ? note_opener(real::openat(directory, path, flags, mode))
                       : real::openat(directory, path, flags, mode);
}
SCKPT_WRAPPER int openat64(int directory, const char *path, int flags, ...) {
    MODE_ARGUMENT(flags)
    return openat(directory, path, flags | O_LARGEFILE, mode);
}
SCKPT_WRAPPER int __openat_2(int directory, const char *path, int flags) { return openat(directory, path, flags); }
SCKPT_WRAPPER int __openat64_2(int directory, const char *path, int flags) { return openat(directory, path, flags); }

SCKPT_WRAPPER int creat(const char *path, mode_t mode) {
    return recording() ? note_opener(real::creat(path, mode)) : real::creat(path, mode);
}
SCKPT_WRAPPER int creat64(const char *path, mode_t mode) { return creat(path, mode); }

SCKPT_WRAPPER FILE *fopen(const char *path, const char *mode) {
    path = resolve_self_executable(path);
    return recording() ? note_opener(real::fopen(path, mode)) : real::fopen(path, mode);
}
SCKPT_WRAPPER FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }
SCKPT_WRAPPER FILE *freopen(const char *path, const char *mode, FILE *file) {
    path = resolve_self_executable(path);
    return recording() ? note_opener(real::freopen(path, mode, file)) : real::freopen(path, mode, file);
}
SCKPT_WRAPPER FILE *freopen64(const char *path, const char *mode, FILE *file) { return freopen(path, mode, file); }
SCKPT_WRAPPER int close(int fd) {
    if (recording()) note(fd, 0);
    return real::close(fd);
}
SCKPT_WRAPPER int fclose(FILE *file) {
    if (recording()) note(fileno(file), 0);
    return real::fclose(file);
}
SCKPT_WRAPPER int mkstemp(char *name) { return recording() ? note_opener(real::mkstemp(name)) : real::mkstemp(name); }
SCKPT_WRAPPER int mkstemp64(char *name) { return mkstemp(name); }
