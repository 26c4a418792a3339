// One thread waits for the signal of all such timers, which has the number of the notification in it.  It is a thread like
// the application's own, made by our pthread_create(): parked, recorded and made again as they are.  Its signal is the
// one that glibc would use; nobody else can block it or send it.
#include "preload/thread_timers.h"

#include <errno.h>
#include <pthread.h>

#include <map>
#include <memory>

#include "preload/signals.h"
#include "preload/wrap.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace sckpt {
namespace {

constexpr int kTimerSignal = 32;  // glibc's SIGTIMER

struct Notification {
    void (*function)(sigval);
    sigval value;
    pthread_attr_t attributes;
};

Spin lock;
std::map<int, Notification> *notifications = nullptr;
int next_number = 1;
enum class Helper { none, starting, running };
std::atomic<Helper> helper{Helper::none};
std::atomic<int> helper_id{0};  // as the program knows threads

struct Start {
    void (*function)(sigval);
    sigval value;
};
void *run(void *argument) {
    Start start;
    {
        Busy busy;
        const std::unique_ptr<Start> given(static_cast<Start *>(argument));
        start = *given;
    }
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    start.function(start.value);
    return nullptr;
}

void expired(int number) {
    Busy busy;
    Notification found;
    {
        Locked locked(lock);
        const auto at = notifications->find(number);
        if (at == notifications->end()) return;
        found = at->second;
    }
    auto start = std::make_unique<Start>(found.function, found.value);
    pthread_t thread;
    if (pthread_create(&thread, &found.attributes, run, start.get()) == 0) start.release();
}

void *wait_for_expiries(void *) {
    const std::uint64_t only = signal_bit(kTimerSignal);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, as_long(&only), 0, 8);
    helper_id = program_thread_id();
    helper = Helper::running;
    for (;;) {
        siginfo_t info{};
        if (system_call(SYS_rt_sigtimedwait, as_long(&only), as_long(&info), 0, 8) == kTimerSignal &&
            info.si_code == SI_TIMER)
            expired(info.si_value.sival_int);
    }
}

int start_helper() {
    for (;;) {
        Helper none = Helper::none;
        if (helper.compare_exchange_strong(none, Helper::starting)) {
            pthread_t thread;
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
            const int error = pthread_create(&thread, &attributes, wait_for_expiries, nullptr);
            pthread_attr_destroy(&attributes);
            if (!error) continue;
            helper = Helper::none;
            return EAGAIN;
        }
        if (helper == Helper::running) return 0;
        sys::yield();
    }
}

// The caller may destroy its attributes; of the addresses in them only those of a stack cannot be meant more than once.
void copy_attributes(const pthread_attr_t *from, pthread_attr_t &to) {
    pthread_attr_init(&to);
    if (from) {
        size_t size = 0;
        int number = 0;
        sched_param parameter{};
        cpu_set_t set;
        if (pthread_attr_getstacksize(from, &size) == 0) pthread_attr_setstacksize(&to, size);
        if (pthread_attr_getguardsize(from, &size) == 0) pthread_attr_setguardsize(&to, size);
        if (pthread_attr_getinheritsched(from, &number) == 0) pthread_attr_setinheritsched(&to, number);
        if (pthread_attr_getschedpolicy(from, &number) == 0) pthread_attr_setschedpolicy(&to, number);
        if (pthread_attr_getschedparam(from, &parameter) == 0) pthread_attr_setschedparam(&to, &parameter);
        if (pthread_attr_getscope(from, &number) == 0) pthread_attr_setscope(&to, number);
        // Without a set of its own all are reported.
        if (pthread_attr_getaffinity_np(from, sizeof set, &set) == 0 && CPU_COUNT(&set) < CPU_SETSIZE)
            pthread_attr_setaffinity_np(&to, sizeof set, &set);
    }
    pthread_attr_setdetachstate(&to, PTHREAD_CREATE_DETACHED);
}

}  // namespace

int notification_for_threads(const sigevent &wanted, sigevent &translated) {
    if (const int error = start_helper()) return error;
    Notification notification{wanted.sigev_notify_function, wanted.sigev_value, {}};
    copy_attributes(wanted.sigev_notify_attributes, notification.attributes);
    Locked locked(lock);
    if (!notifications) notifications = new std::map<int, Notification>;
    translated = {};
    translated.sigev_notify = SIGEV_THREAD_ID;
    translated.sigev_signo = kTimerSignal;
    translated.sigev_value.sival_int = next_number;
    translated.sigev_notify_thread_id = helper_id;
    notifications->emplace(next_number++, notification);
    return 0;
}

void forget_notification(const sigevent &translated) {
    if (translated.sigev_notify != SIGEV_THREAD_ID || translated.sigev_signo != kTimerSignal) return;
    Locked locked(lock);
    const auto at = notifications->find(translated.sigev_value.sival_int);
    if (at == notifications->end()) return;
    pthread_attr_destroy(&at->second.attributes);
    notifications->erase(at);
}

}  // namespace sckpt
