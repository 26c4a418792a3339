#include "preload/serving.h"

#include <signal.h>
#include <time.h>

#include <atomic>

#include "preload/base/log.h"
#include "preload/serial.h"
#include "preload/wrap.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace sckpt {
namespace {

std::atomic<ThreadRecord *> serving{nullptr};
std::atomic<bool> begun{false};  // somebody is to serve

// Kernel timers: glibc's would look like the application's own.
Spin lock;  // of all below, and of changes of `serving`
int timers[kTimers];
bool made[kTimers];
bool wanted = false;

constexpr std::int64_t kSecond = 1'000'000'000;

// One that was running goes on for another thread.
void make_timer(int kind) {
    itimerspec left{};
    if (made[kind]) {
        system_call(SYS_timer_gettime, timers[kind], as_long(&left));
        system_call(SYS_timer_delete, timers[kind]);
    }
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = park_signal();
    event.sigev_value.sival_int = kind;
    event.sigev_notify_thread_id = serving.load()->kernel_id;
    made[kind] = system_call(SYS_timer_create, CLOCK_MONOTONIC, as_long(&event), as_long(&timers[kind])) == 0;
    if (!made[kind]) say(Severity::warning, "cannot make a timer: checkpoints at intervals are not possible");
    if (made[kind] && (left.it_value.tv_sec || left.it_value.tv_nsec))
        system_call(SYS_timer_settime, timers[kind], 0, as_long(&left), 0);
}

void make_all() {
    for (int kind = 0; wanted && serving && kind < kTimers; ++kind) make_timer(kind);
}

// What has been asked for may have been told to the one before only.
void remind() {
    ThreadRecord *const record = serving;
    if (record && ((attention & kRequested) || serial_wanted()))
        sys::tgkill(sys::getpid(), record->kernel_id, park_signal());
}

constexpr std::size_t kRoom = 512 << 10;
alignas(64) char room[kRoom];

bool within_room() {
    const auto *here = static_cast<const char *>(__builtin_frame_address(0));
    return here >= room && here < room + kRoom;
}

}  // namespace

void begin_serving() {
    Locked locked(lock);
    serving = self.record;
    begun = true;
}

ThreadRecord *serving_thread() { return serving; }

void pass_serving_on(const ThreadRecord *leaving) {
    if (serving != leaving) return;
    {
        Locked locked(lock);
        serving = nullptr;
        std::atomic_thread_fence(std::memory_order_seq_cst);  // against serve_if_nobody_does()
        // The oldest, which is likely to stay.
        for (ThreadRecord *record = all_threads; record; record = record->next)
            if (record != leaving && record->alive && !record->helper && record->kernel_id) serving = record;
        make_all();
    }
    remind();
}

void serve_if_nobody_does() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (serving || !begun) [[likely]]
        return;
    {
        Locked locked(lock);
        if (serving) return;
        serving = self.record;
        make_all();
    }
    remind();
}

void make_timers() {
    Locked locked(lock);
    wanted = true;
    make_all();
}

void forget_timers() {
    wanted = false;
    for (bool &timer : made) timer = false;
}

void set_timer(TimerKind kind, std::int64_t first, std::int64_t every) {
    Locked locked(lock);
    if (!made[kind]) return;
    const itimerspec value{{every / kSecond, every % kSecond}, {first / kSecond, first % kSecond}};
    system_call(SYS_timer_settime, timers[kind], 0, as_long(&value), 0);
}

void call_with_room(void (*function)(void *), void *argument) {
    if (!self.record || self.record->initial || self.record != serving || within_room()) return function(argument);
    asm volatile(
        "movq %%rsp, %%rbx\n\t"
        "movq %[top], %%rsp\n\t"
        "call *%[function]\n\t"
        "movq %%rbx, %%rsp"
        : "+D"(argument)
        : [top] "r"(room + kRoom), [function] "r"(function)
        : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
          "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

}  // namespace sckpt
