// setitimer(2) and timer_create(2).
//
// The kernel is asked at the cut how long each timer still has, so nothing is kept of timer_settime() but whether the
// time was absolute.  A program's timer_t is the kernel's number, so a restored timer must get its old one again: Linux
// 6.15 can be asked for it (PR_TIMER_CREATE_RESTORE_IDS), older kernels count up, so that creating and deleting leads
// there.
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <vector>

#include "preload/base/clock.h"
#include "preload/deadlines.h"
#include "preload/resources.h"
#include "preload/thread_timers.h"
#include "preload/wrap.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS 77
#endif

namespace sckpt {
namespace {

struct Timer {
    int id;
    clockid_t clock;
    sigevent event;    // the thread in it is the id that the program knows
    int creator;       // thread id, likewise
    bool absolute;     // armed for a point in time of a clock that can be set
    itimerspec left;   // at the cut
    std::int64_t due;  // CLOCK_REALTIME of the next expiry, nanoseconds, where `absolute`
    int overrun = 0;   // of the signal that was delivered last, until this incarnation has delivered one
};

Spin lock;
std::vector<Timer> *timers = nullptr;
int interval_owner[3];
itimerval intervals[3];

int number_of(timer_t timer) { return static_cast<int>(reinterpret_cast<std::intptr_t>(timer)); }
bool is_kernel_timer(timer_t timer) { return reinterpret_cast<std::intptr_t>(timer) >= 0; }

Timer *find(timer_t timer) {
    if (!timers || !is_kernel_timer(timer)) return nullptr;
    for (Timer &one : *timers)
        if (one.id == number_of(timer)) return &one;
    return nullptr;
}

// The program's name of the clock, in which that of one thread carries its id.
clockid_t named_clock(const Timer &timer) {
    if (timer.clock != CLOCK_THREAD_CPUTIME_ID) return timer.clock;
    constexpr unsigned kThreadClock = 6;  // CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED, linux/posix-timers.h
    return static_cast<clockid_t>(~static_cast<unsigned>(timer.creator) << 3 | kThreadClock);
}

std::string failure(const Timer &timer, const char *what, long error) {
    return "cannot " + std::string(what) + " POSIX timer " + std::to_string(timer.id) + ": " +
           strerrordesc_np(static_cast<int>(-error));
}

bool is_alive(int program_id) {
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->id == program_id) return true;
    return false;
}
// A timer outlives its threads: it signals nobody then, or, where its clock was that of one, stands still.
bool has_nobody_to_tell(const Timer &timer) {
    return timer.event.sigev_notify == SIGEV_THREAD_ID && !is_alive(timer.event.sigev_notify_thread_id);
}
bool stands_still(const Timer &timer) { return timer.clock == CLOCK_THREAD_CPUTIME_ID && !is_alive(timer.creator); }

// Makes the timer with its old number.
Restored create_again(const Timer &timer, bool by_number) {
    sigevent event = timer.event;
    const clockid_t clock = stands_still(timer) ? CLOCK_MONOTONIC : kernel_clock(named_clock(timer)).id;
    if (has_nobody_to_tell(timer)) {
        event.sigev_notify = SIGEV_NONE;
    } else if (event.sigev_notify == SIGEV_THREAD_ID) {
        const int program_id = event.sigev_notify_thread_id;
        event.sigev_notify_thread_id = to_kernel_id(program_id);
    }
    constexpr int kTries = 1 << 20;
    for (int tries = 0; tries < kTries; ++tries) {
        int id = timer.id;
        const long error = system_call(SYS_timer_create, clock, as_long(&event), as_long(&id));
        if (error < 0) return std::unexpected(failure(timer, "make", error));
        if (id == timer.id) return {};
        system_call(SYS_timer_delete, id);
        if (by_number || id > timer.id) break;
    }
    return std::unexpected("cannot make POSIX timer " + std::to_string(timer.id) + " with its old number");
}

Restored arm_again(const Timer &timer) {
    itimerspec value = timer.left;
    if (to_ns(value.it_value) == 0 || stands_still(timer)) return {};
    if (timer.absolute) value.it_value = to_timespec(timer.due);
    const long error = system_call(SYS_timer_settime, timer.id, timer.absolute ? TIMER_ABSTIME : 0, as_long(&value), 0);
    if (error < 0) return std::unexpected(failure(timer, "arm", error));
    return {};
}

}  // namespace

void record_timers(Plan &plan) {
    for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
        itimerval &now = intervals[which];
        now = {};
        system_call(SYS_getitimer, which, as_long(&now));
        if (now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0) continue;
        plan.interval_timers.push_back({which, interval_owner[which],
                                        now.it_value.tv_sec * 1'000'000 + now.it_value.tv_usec,
                                        now.it_interval.tv_sec * 1'000'000 + now.it_interval.tv_usec});
    }
    if (!timers) return;
    for (Timer &timer : *timers) {
        system_call(SYS_timer_gettime, timer.id, as_long(&timer.left));
        // Of one that is queued the copy that is made of it says so; see also timer_expired().
        const long overrun = system_call(SYS_timer_getoverrun, timer.id);
        if (overrun > 0) timer.overrun = static_cast<int>(overrun);
        timer.due = kernel_time(CLOCK_REALTIME) + to_ns(timer.left.it_value);
        const bool directed = timer.event.sigev_notify == SIGEV_THREAD_ID;
        const int thread = directed ? timer.event.sigev_notify_thread_id : timer.creator;
        plan.posix_timers.push_back({timer.id, timer.clock, timer.event.sigev_notify, timer.event.sigev_signo, thread,
                                     static_cast<std::int32_t>(overrun < 0 ? 0 : overrun), to_ns(timer.left.it_value),
                                     to_ns(timer.left.it_interval)});
    }
}

void timer_expired(const siginfo_t &info) {
    Locked locked(lock);
    if (!timers) return;
    for (Timer &timer : *timers)
        if (timer.id == info.si_timerid) timer.overrun = info.si_overrun;
}

Restored restore_timers() {
    for (const int which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
        const long error = system_call(SYS_setitimer, which, as_long(&intervals[which]), 0);
        if (error < 0)
            return std::unexpected("cannot set interval timer " + std::to_string(which) + ": " +
                                   strerrordesc_np(static_cast<int>(-error)));
    }
    return {};
}

Restored restore_posix_timers() {
    if (!timers || timers->empty()) return {};
    const bool by_number = system_call(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0) == 0;
    Restored result;
    // In the order of their numbers, for kernels that count.
    for (int last = -1; result;) {
        const Timer *next = nullptr;
        for (const Timer &timer : *timers)
            if (timer.id > last && (!next || timer.id < next->id)) next = &timer;
        if (!next) break;
        last = next->id;
        result = create_again(*next, by_number);
        if (result) result = arm_again(*next);
    }
    if (by_number) system_call(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
    return result;
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int setitimer(__itimer_which_t which, const itimerval *value, itimerval *old) noexcept {
    if (recording() && which >= 0 && which < 3) interval_owner[which] = program_thread_id();
    return real::setitimer(which, value, old);
}
SCKPT_WRAPPER unsigned alarm(unsigned seconds) noexcept {
    if (recording()) interval_owner[ITIMER_REAL] = program_thread_id();
    return real::alarm(seconds);
}
SCKPT_WRAPPER useconds_t ualarm(useconds_t value, useconds_t interval) noexcept {
    if (recording()) interval_owner[ITIMER_REAL] = program_thread_id();
    return real::ualarm(value, interval);
}

SCKPT_WRAPPER int timer_create(clockid_t clock, sigevent *event, timer_t *timer) noexcept {
    if (!recording()) return real::timer_create(clock, event, timer);
    Busy busy;
    sigevent given{};
    if (event) given = *event;
    if (event && event->sigev_notify == SIGEV_THREAD) {
        if (const int error = notification_for_threads(*event, given)) {
            errno = error;
            return -1;
        }
    }
    sigevent translated = given;
    if (event && given.sigev_notify == SIGEV_THREAD_ID) {
        const int program_id = given.sigev_notify_thread_id;
        translated.sigev_notify_thread_id = to_kernel_id(program_id);
    }
    const int result = real::timer_create(kernel_clock(clock).id, event ? &translated : nullptr, timer);
    if (result != 0) {
        forget_notification(given);
        return result;
    }
    if (!event) {
        given.sigev_notify = SIGEV_SIGNAL;
        given.sigev_signo = SIGALRM;
        given.sigev_value.sival_int = number_of(*timer);
    }
    Locked locked(lock);
    if (!timers) timers = new std::vector<Timer>;
    timers->push_back({number_of(*timer), clock, given, program_thread_id(), false, {}, 0, 0});
    return 0;
}

SCKPT_WRAPPER int timer_settime(timer_t timer, int flags, const itimerspec *value, itimerspec *old) noexcept {
    if (!recording() || !value) return real::timer_settime(timer, flags, value, old);
    Busy busy;
    clockid_t clock = CLOCK_REALTIME;
    itimerspec given = *value;
    {
        Locked locked(lock);
        if (Timer *known = find(timer)) {
            clock = named_clock(*known);
            known->absolute = (flags & TIMER_ABSTIME) && clock == CLOCK_REALTIME;
        }
    }
    const std::int64_t shift = kernel_clock(clock).shift;
    if ((flags & TIMER_ABSTIME) && shift != 0 && to_ns(given.it_value) != 0) {
        const std::int64_t at = to_ns(given.it_value) - shift;
        given.it_value = to_timespec(at > 0 ? at : 1);  // zero would disarm it
    }
    return real::timer_settime(timer, flags, &given, old);
}

SCKPT_WRAPPER int timer_delete(timer_t timer) noexcept {
    if (!recording()) return real::timer_delete(timer);
    Busy busy;
    sigevent gone{};
    int result;
    {
        Locked locked(lock);
        result = real::timer_delete(timer);
        Timer *known = result == 0 ? find(timer) : nullptr;
        if (known) {
            gone = known->event;
            *known = timers->back();
            timers->pop_back();
        }
    }
    forget_notification(gone);
    return result;
}

SCKPT_WRAPPER int timer_getoverrun(timer_t timer) noexcept {
    if (!recording() || !restored_process) return real::timer_getoverrun(timer);
    Busy busy;
    const int result = real::timer_getoverrun(timer);
    if (result != 0) return result;
    Locked locked(lock);
    const Timer *known = find(timer);
    return known ? known->overrun : 0;
}
