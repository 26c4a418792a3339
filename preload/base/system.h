// System calls made directly: they set no errno, are not interposable, are no cancellation points, and touch nothing
// of any C library.  Everything that may run in a signal handler, while application threads are parked, or before
// libsckpt.so is relocated goes through these.  Results are the kernel's: negative errno on failure.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace sckpt {

inline long system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    long result;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

// Of a call that returns an address, too.
inline bool failed(long result) { return result < 0 && result > -4096; }

template <class T>
long as_long(T *pointer) {
    return reinterpret_cast<long>(pointer);
}

namespace sys {

inline long write(int fd, const void *data, std::size_t size) {
    return system_call(SYS_write, fd, as_long(data), static_cast<long>(size));
}
inline long read(int fd, void *data, std::size_t size) {
    return system_call(SYS_read, fd, as_long(data), static_cast<long>(size));
}
inline long open(const char *path, int flags, int mode = 0) {
    return system_call(SYS_openat, AT_FDCWD, as_long(path), flags | O_CLOEXEC, mode);
}
inline long close(int fd) { return system_call(SYS_close, fd); }

// Descriptors of ours and of the lower half that stay open are kept from here on: open(2) gives a program the lowest free
// number, which it may count on.
inline constexpr int kFirstOwnDescriptor = 512;
// Gives a descriptor another number, `least` or above.  Negative errno when there is none: it stays where it is then.
inline long set_aside(long fd, int least) {
    const long high = system_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
    if (high >= 0) close(static_cast<int>(fd));
    return high;
}
inline long getpid() { return system_call(SYS_getpid); }
inline long gettid() { return system_call(SYS_gettid); }
inline long tgkill(long process, long thread, int signal) { return system_call(SYS_tgkill, process, thread, signal); }
inline long futex_wait(const void *word, std::uint32_t expected) {
    return system_call(SYS_futex, as_long(word), 0, expected, 0);
}
inline long futex_wake(const void *word, int count) { return system_call(SYS_futex, as_long(word), 1, count); }
inline void yield() { system_call(SYS_sched_yield); }

// Reads at most capacity - 1 bytes of a small file and ends them with a NUL.  Returns the length or a negative errno.
inline long read_file(const char *path, char *buffer, std::size_t capacity) {
    const long fd = open(path, O_RDONLY);
    if (fd < 0) return fd;
    std::size_t length = 0;
    long got = 1;
    while (length + 1 < capacity && (got = read(static_cast<int>(fd), buffer + length, capacity - 1 - length)) > 0)
        length += static_cast<std::size_t>(got);
    close(static_cast<int>(fd));
    buffer[length] = 0;
    return got < 0 ? got : static_cast<long>(length);
}

}  // namespace sys
}  // namespace sckpt
