// Absolute times on the program's clocks, handed to the kernel.
#pragma once

#include <time.h>

#include "preload/base/clock.h"
#include "preload/base/real.h"
#include "preload/interruption.h"

namespace sckpt {

// A clock as the kernel knows it and what is added to its time, nanoseconds.  The id of a CPU-time clock has that of its
// process or thread in it (linux/posix-timers.h), and a thread's own clock goes on from the thread's time at the cut.
struct KernelClock {
    clockid_t id;
    std::int64_t shift;
};
KernelClock kernel_clock(clockid_t clock);

// The time of a clock as the program sees it, nanoseconds.
inline std::int64_t program_time(clockid_t clock) {
    timespec now{};
    const KernelClock kernel = kernel_clock(clock);
    real::clock_gettime(kernel.id, &now);
    return to_ns(now) + kernel.shift;
}

// An absolute deadline of the program on `clock`, in the kernel's terms, while the calling thread is in a libc call
// that passes the pointer on to the kernel (futex).  When the process is restored meanwhile the time behind the pointer
// is moved along, and the thread, whose system call is made again, waits for as long as it would have.
class KernelDeadline {
  public:
    KernelDeadline(clockid_t clock, const timespec *deadline);
    ~KernelDeadline() { withdraw(); }
    void withdraw();
    KernelDeadline(const KernelDeadline &) = delete;
    KernelDeadline &operator=(const KernelDeadline &) = delete;
    const timespec *get() const { return pointer_; }

  private:
    friend void move_deadlines(const std::int64_t *change);
    timespec time_{};
    const timespec *pointer_;
    clockid_t clock_;
    KernelDeadline *previous_ = nullptr, *next_ = nullptr;
};

// Runs `wait(deadline)`, a libc call that is a cancellation point: a cancelled thread must not leave its deadline on the
// list.
template <class Wait>
int wait_until(clockid_t clock, const timespec *deadline, Wait wait) {
    KernelDeadline kernel(clock, deadline);
    return undone_when_cancelled([](void *one) { static_cast<KernelDeadline *>(one)->withdraw(); }, &kernel,
                                 [&] { return wait(kernel.get()); });
}

// In a restored process: change[clock] nanoseconds are added to the kernel's side of every pending deadline.
void move_deadlines(const std::int64_t *change);

}  // namespace sckpt
