// Calls that a handler interrupts, SA_RESTART or not, in cases only: on sockets that have a time-out (SO_RCVTIMEO,
// SO_SNDTIMEO), and on semaphores and queues of System V.  They go on as those of interruptions.cc do; without an
// interruption each costs a look at two counters.
#include <errno.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "preload/deadlines.h"
#include "preload/files.h"
#include "preload/interruption.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// Nanoseconds; negative: none, or no socket.
std::int64_t time_limit(int fd, int option) {
    timeval limit{};
    socklen_t length = sizeof limit;
    if (system_call(SYS_getsockopt, fd, SOL_SOCKET, option, as_long(&limit), as_long(&length)) < 0) return -1;
    return to_ns(limit) > 0 ? to_ns(limit) : -1;
}

// The kernel does not tell how long it has waited, so the time begins anew with the first interruption; with a further
// one it does not.
template <class Call>
auto on_socket(int fd, int option, Call call) {
    const Interruption state;
    auto result = call();
    if (result >= 0 || !state.ours_only()) [[likely]]
        return result;
    const std::int64_t limit = time_limit(fd, option), end = program_time(CLOCK_MONOTONIC) + limit;
    do {
        if (limit >= 0) {
            pollfd one{fd, static_cast<short>(option == SO_RCVTIMEO ? POLLIN : POLLOUT), 0};
            const std::int64_t left = end - program_time(CLOCK_MONOTONIC);
            const timespec span = to_timespec(left);
            const int ready = left > 0 ? real::ppoll(&one, 1, &span, nullptr) : 0;
            if (ready < 0) continue;
            if (ready == 0) {
                errno = EAGAIN;
                return result;
            }
        }
        result = call();
    } while (result < 0 && state.ours_only());
    return result;
}

}  // namespace
}  // namespace sckpt

using namespace sckpt;

#define ON_SOCKET(type, name, parameters, arguments, option)                       \
    SCKPT_WRAPPER type name parameters {                                           \
        if (!recording()) return real::name arguments;                             \
        return on_socket(fd, option, [&] { return real::name arguments; });        \
    }
ON_SOCKET(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size), SO_RCVTIMEO)
ON_SOCKET(ssize_t, write, (int fd, const void *buffer, size_t size), (fd, buffer, size), SO_SNDTIMEO)
ON_SOCKET(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags), SO_RCVTIMEO)
ON_SOCKET(ssize_t, recvfrom, (int fd, void *buffer, size_t size, int flags, sockaddr *from, socklen_t *length),
          (fd, buffer, size, flags, from, length), SO_RCVTIMEO)
ON_SOCKET(ssize_t, recvmsg, (int fd, msghdr *message, int flags), (fd, message, flags), SO_RCVTIMEO)
ON_SOCKET(ssize_t, send, (int fd, const void *buffer, size_t size, int flags), (fd, buffer, size, flags), SO_SNDTIMEO)
ON_SOCKET(ssize_t, sendto,
          (int fd, const void *buffer, size_t size, int flags, const sockaddr *to, socklen_t length),
          (fd, buffer, size, flags, to, length), SO_SNDTIMEO)
ON_SOCKET(ssize_t, sendmsg, (int fd, const msghdr *message, int flags), (fd, message, flags), SO_SNDTIMEO)
ON_SOCKET(int, connect, (int fd, const sockaddr *address, socklen_t length), (fd, address, length), SO_SNDTIMEO)
#undef ON_SOCKET

SCKPT_WRAPPER int accept(int fd, sockaddr *address, socklen_t *length) {
    if (!recording()) return real::accept(fd, address, length);
    return note_opener(on_socket(fd, SO_RCVTIMEO, [&] { return real::accept(fd, address, length); }));
}
SCKPT_WRAPPER int accept4(int fd, sockaddr *address, socklen_t *length, int flags) {
    if (!recording()) return real::accept4(fd, address, length, flags);
    return note_opener(on_socket(fd, SO_RCVTIMEO, [&] { return real::accept4(fd, address, length, flags); }));
}

SCKPT_WRAPPER ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room) {
    if (size > room) abort();
    return read(fd, buffer, size);
}
SCKPT_WRAPPER ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags) {
    if (size > room) abort();
    return recv(fd, buffer, size, flags);
}
SCKPT_WRAPPER ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags, sockaddr *from,
                                     socklen_t *length) {
    if (size > room) abort();
    return recvfrom(fd, buffer, size, flags, from, length);
}

SCKPT_WRAPPER int semop(int set, sembuf *operations, size_t count) noexcept {
    if (!recording()) return real::semop(set, operations, count);
    return uninterrupted([&] { return real::semop(set, operations, count); });
}
SCKPT_WRAPPER int semtimedop(int set, sembuf *operations, size_t count, const timespec *limit) noexcept {
    if (!recording() || !limit) return real::semtimedop(set, operations, count, limit);
    const std::int64_t end = program_time(CLOCK_MONOTONIC) + to_ns(*limit);
    timespec left = *limit;
    return uninterrupted([&] {
        const int result = real::semtimedop(set, operations, count, &left);
        if (result < 0 && errno == EINTR) left = to_timespec(end - program_time(CLOCK_MONOTONIC));
        return result;
    });
}
SCKPT_WRAPPER int msgsnd(int queue, const void *message, size_t size, int flags) {
    if (!recording()) return real::msgsnd(queue, message, size, flags);
    return uninterrupted([&] { return real::msgsnd(queue, message, size, flags); });
}
SCKPT_WRAPPER ssize_t msgrcv(int queue, void *message, size_t size, long type, int flags) {
    if (!recording()) return real::msgrcv(queue, message, size, type, flags);
    return uninterrupted([&] { return real::msgrcv(queue, message, size, type, flags); });
}
