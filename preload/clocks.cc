// Clocks and waits with absolute times.  Before a restart every wrapper costs one predicted branch.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "preload/deadlines.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// Not taken by handlers: the waits it serves are not async-signal-safe.
Spin list_lock;
KernelDeadline *pending = nullptr;

int shifted_time(clockid_t clock, timespec *time) {
    const KernelClock kernel = kernel_clock(clock);
    const int result = real::clock_gettime(kernel.id, time);
    if (result == 0) *time = to_timespec(to_ns(*time) + kernel.shift);
    return result;
}

constexpr int kOfThread = 4, kKindMask = 3, kSched = 2, kOfDescriptor = 3;

}  // namespace

KernelClock kernel_clock(clockid_t clock) {
    if (!clocks_shifted) return {clock, 0};
    if (clock == CLOCK_THREAD_CPUTIME_ID) return {clock, self.record ? self.record->kernel.cpu_shift : 0};
    if (clock >= 0) return {clock, shift_of(clock)};
    const int kind = clock & kKindMask, id = ~(clock >> 3);
    if (kind == kOfDescriptor) return {clock, 0};
    auto with = [&](int other) { return static_cast<clockid_t>(~static_cast<unsigned>(other) << 3 | (clock & 7)); };
    if (!(clock & kOfThread)) {
        const bool own = id == 0 || id == getpid();
        return {id != 0 && own ? with(static_cast<int>(sys::getpid())) : clock,
                own && kind == kSched ? shift_of(CLOCK_PROCESS_CPUTIME_ID) : 0};
    }
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && (id == 0 ? record == self.record : record->id == id))
            return {with(record->kernel_id), kind == kSched ? record->kernel.cpu_shift : 0};
    return {clock, 0};
}

KernelDeadline::KernelDeadline(clockid_t clock, const timespec *deadline) : pointer_(deadline), clock_(clock) {
    const bool movable = deadline && clock != CLOCK_REALTIME && clock >= 0 && clock < kShiftedClocks;
    if (!movable || deadline->tv_sec < 0 || deadline->tv_nsec < 0 || deadline->tv_nsec >= kSecondNs) return;
    time_ = to_timespec(to_ns(*deadline) - shift_of(clock));
    pointer_ = &time_;
    Busy busy;
    list_lock.lock();
    next_ = pending;
    if (next_) next_->previous_ = this;
    pending = this;
    list_lock.unlock();
}

void KernelDeadline::withdraw() {
    if (pointer_ != &time_) return;
    pointer_ = nullptr;
    Busy busy;
    list_lock.lock();
    (previous_ ? previous_->next_ : pending) = next_;
    if (next_) next_->previous_ = previous_;
    list_lock.unlock();
}

void move_deadlines(const std::int64_t *change) {
    for (KernelDeadline *one = pending; one; one = one->next_)
        one->time_ = to_timespec(to_ns(one->time_) + change[one->clock_]);
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int clock_gettime(clockid_t clock, timespec *time) noexcept {
    if (!real::clock_gettime) [[unlikely]]
        real::find_all();
    for (;;) {
        // The cut may come, and the restored process go on, anywhere in here.
        const std::uint32_t before = clock_changes.load(std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        const int result = clocks_shifted ? shifted_time(clock, time) : real::clock_gettime(clock, time);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (clock_changes.load(std::memory_order_relaxed) == before) [[likely]]
            return result;
    }
}

SCKPT_WRAPPER int clock_getres(clockid_t clock, timespec *resolution) noexcept {
    recording();
    return real::clock_getres(kernel_clock(clock).id, resolution);
}

SCKPT_WRAPPER int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                             const timespec *deadline) noexcept {
    if (!recording()) return real::pthread_rwlock_clockrdlock(lock, clock, deadline);
    KernelDeadline kernel(clock, deadline);
    return real::pthread_rwlock_clockrdlock(lock, clock, kernel.get());
}

SCKPT_WRAPPER int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                             const timespec *deadline) noexcept {
    if (!recording()) return real::pthread_rwlock_clockwrlock(lock, clock, deadline);
    KernelDeadline kernel(clock, deadline);
    return real::pthread_rwlock_clockwrlock(lock, clock, kernel.get());
}

SCKPT_WRAPPER int timerfd_settime(int fd, int flags, const itimerspec *value, itimerspec *old) noexcept {
    if (!recording() || !clocks_shifted || !value || !(flags & TFD_TIMER_ABSTIME))
        return real::timerfd_settime(fd, flags, value, old);
    itimerspec given = *value;
    // Which clock it is the kernel tells in fdinfo; those that can be set are never shifted.
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/thread-self/fdinfo/%d", fd);
    clockid_t clock = CLOCK_REALTIME;
    if (sys::read_file(path, text, sizeof text) > 0)
        if (const char *at = strstr(text, "clockid:")) clock = static_cast<clockid_t>(strtol(at + 8, nullptr, 10));
    if (to_ns(given.it_value) != 0) given.it_value = to_timespec(to_ns(given.it_value) - shift_of(clock));
    return real::timerfd_settime(fd, flags, &given, old);
}
