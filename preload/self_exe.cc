#include "preload/self_exe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/wrap.h"

// What glibc's checked variants call when the buffer is too small.
extern "C" [[noreturn]] void __chk_fail(void);

namespace sckpt {
namespace {

const char *executable = nullptr;

// readlink(2) of `path` where it is answered by us: the length, or -1 when it is not.
ssize_t answer_link(const char *path, char *buffer, size_t size) {
    const char *answer = resolve_self_executable(path);
    if (answer == path || size == 0) return -1;
    const size_t length = strlen(answer), copied = length < size ? length : size;
    memcpy(buffer, answer, copied);
    return static_cast<ssize_t>(copied);
}

}  // namespace

void set_self_executable(const char *path) { executable = path; }

const char *resolve_self_executable(const char *path) {
    if (!restored_process || !executable || !path || strncmp(path, "/proc/", 6) != 0 || !recording()) return path;
    if (strcmp(path, "/proc/self/exe") == 0 || strcmp(path, "/proc/thread-self/exe") == 0) return executable;
    char own[32];
    snprintf(own, sizeof own, "/proc/%d/exe", static_cast<int>(getpid()));
    return strcmp(path, own) == 0 ? executable : path;
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER ssize_t readlink(const char *path, char *buffer, size_t size) noexcept {
    recording();
    const ssize_t answered = answer_link(path, buffer, size);
    return answered >= 0 ? answered : real::readlink(path, buffer, size);
}
SCKPT_WRAPPER ssize_t readlinkat(int directory, const char *path, char *buffer, size_t size) noexcept {
    recording();
    const ssize_t answered = answer_link(path, buffer, size);
    return answered >= 0 ? answered : real::readlinkat(directory, path, buffer, size);
}
SCKPT_WRAPPER ssize_t __readlink_chk(const char *path, char *buffer, size_t size, size_t available) noexcept {
    if (size > available) __chk_fail();
    return readlink(path, buffer, size);
}
SCKPT_WRAPPER ssize_t __readlinkat_chk(int directory, const char *path, char *buffer, size_t size,
                                       size_t available) noexcept {
    if (size > available) __chk_fail();
    return readlinkat(directory, path, buffer, size);
}

SCKPT_WRAPPER char *realpath(const char *path, char *resolved) noexcept {
    recording();
    return real::realpath(resolve_self_executable(path), resolved);
}
SCKPT_WRAPPER char *__realpath_chk(const char *path, char *resolved, size_t available) noexcept {
    if (available < PATH_MAX) __chk_fail();
    return realpath(path, resolved);
}
SCKPT_WRAPPER char *canonicalize_file_name(const char *path) noexcept { return realpath(path, nullptr); }
