// Waits that our signals interrupt last as long as they should and show nothing; the application's own signals end
// them.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <functional>

#include "preload/signals.h"
#include "preload/wrap.h"
#include "tests/process/copy.h"

using namespace sckpt;

namespace {

constexpr std::int64_t kSpan = 60'000'000;  // ns of each wait
std::atomic<int> ours{0};

void our_handler(int, siginfo_t *, void *) {
    ++self.our_signals;
    ++ours;
}

std::int64_t now(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}
timespec at(std::int64_t ns) { return {ns / 1'000'000'000, ns % 1'000'000'000}; }

struct Wait {
    const char *name;
    std::function<int()> call;  // 0 when the time has run out, else an error number
    bool ends_by_signal = true;
};
void PrintTo(const Wait &wait, std::ostream *out) { *out << wait.name; }

int ends[2], poller;
sem_t semaphore;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

int out_of_time(int result, int meaning_so = 0) {
    if (result == 0) return 0;
    return result < 0 && errno == meaning_so ? 0 : errno;
}
timespec later(clockid_t clock) { return at(now(clock) + kSpan); }

std::vector<Wait> waits() {
    return {
        {"nanosleep",
         [] {
             auto t = at(kSpan);
             return out_of_time(nanosleep(&t, nullptr));
         }},
        {"usleep", [] { return out_of_time(usleep(kSpan / 1000)); }},
        {"clock_nanosleep_relative",
         [] {
             auto t = at(kSpan);
             return clock_nanosleep(CLOCK_REALTIME, 0, &t, nullptr);
         }},
        {"clock_nanosleep_absolute",
         [] {
             auto t = later(CLOCK_MONOTONIC);
             return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
         }},
        {"poll",
         [] {
             pollfd one{ends[0], POLLIN, 0};
             return out_of_time(poll(&one, 1, kSpan / 1000000));
         }},
        {"ppoll",
         [] {
             pollfd one{ends[0], POLLIN, 0};
             auto t = at(kSpan);
             sigset_t none;
             sigemptyset(&none);
             return out_of_time(ppoll(&one, 1, &t, &none));
         }},
        {"select",
         [] {
             fd_set set;
             FD_ZERO(&set);
             FD_SET(ends[0], &set);
             timeval t{0, kSpan / 1000};
             return out_of_time(select(ends[0] + 1, &set, nullptr, nullptr, &t));
         }},
        {"pselect",
         [] {
             fd_set set;
             FD_ZERO(&set);
             FD_SET(ends[0], &set);
             auto t = at(kSpan);
             sigset_t none;
             sigemptyset(&none);
             return out_of_time(pselect(ends[0] + 1, &set, nullptr, nullptr, &t, &none));
         }},
        {"epoll_pwait2",
         [] {
             epoll_event event;
             const timespec limit = at(kSpan);
             return out_of_time(epoll_pwait2(poller, &event, 1, &limit, nullptr));
         }},
        {"epoll_wait",
         [] {
             epoll_event event;
             return out_of_time(epoll_wait(poller, &event, 1, kSpan / 1000000));
         }},
        {"sem_timedwait",
         [] {
             auto t = later(CLOCK_REALTIME);
             return out_of_time(sem_timedwait(&semaphore, &t), ETIMEDOUT);
         }},
        {"sem_clockwait",
         [] {
             auto t = later(CLOCK_MONOTONIC);
             return out_of_time(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &t), ETIMEDOUT);
         }},
        {"sigtimedwait",
         [] {
             sigset_t set;
             sigemptyset(&set);
             sigaddset(&set, SIGUSR2);
             auto t = at(kSpan);
             return out_of_time(sigtimedwait(&set, nullptr, &t), EAGAIN);
         }},
        {"pthread_cond_clockwait",
         [] {
             auto t = later(CLOCK_MONOTONIC);
             pthread_mutex_lock(&mutex);
             const int error = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &t);
             pthread_mutex_unlock(&mutex);
             return error == ETIMEDOUT ? 0 : error;
         },
         false},
    };
}

// Signals this thread every few milliseconds while it lives.
class Disturbance {
  public:
    explicit Disturbance(int signal) {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = signal;
        event._sigev_un._tid = static_cast<int>(sys::gettid());
        system_call(SYS_timer_create, CLOCK_MONOTONIC, as_long(&event), as_long(&timer_));
        const itimerspec often{{0, 7'000'000}, {0, 7'000'000}};
        system_call(SYS_timer_settime, timer_, 0, as_long(&often), 0);
    }
    ~Disturbance() { system_call(SYS_timer_delete, timer_); }

  private:
    int timer_ = -1;
};

class Waits : public testing::TestWithParam<Wait> {
  protected:
    static void SetUpTestSuite() {
        if (ends[0]) return;
        ASSERT_EQ(pipe(ends), 0);
        poller = epoll_create1(0);
        epoll_event event{};
        event.events = EPOLLIN;
        epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event);
        sem_init(&semaphore, 0, 0);
        hide_signals(our_handler);
    }
};

TEST_P(Waits, LastTheirTimeUnderOurSignals) {
    ours = 0;
    Disturbance disturbance(park_signal());
    const std::int64_t began = now();
    EXPECT_EQ(GetParam().call(), 0);
    EXPECT_GE(now() - began, kSpan - 1'000'000);
    EXPECT_GT(ours, 1);
}

TEST_P(Waits, EndByASignalOfTheApplication) {
    if (!GetParam().ends_by_signal) GTEST_SKIP() << "never ends by a signal";
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    Disturbance application(SIGUSR1), other(park_signal());
    EXPECT_EQ(GetParam().call(), EINTR);
    signal(SIGUSR1, SIG_DFL);
}

INSTANTIATE_TEST_SUITE_P(All, Waits, testing::ValuesIn(waits()),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Pause, GoesOnUntilASignalOfTheApplicationArrives) {
    hide_signals(our_handler);
    static std::atomic<int> application;
    application = 0;
    signal(SIGUSR1, [](int) { ++application; });
    sigset_t only, old;
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    sigprocmask(SIG_BLOCK, &only, &old);
    Disturbance disturbance(park_signal());
    ours = 0;
    while (ours < 2) sys::yield();
    raise(SIGUSR1);
    EXPECT_EQ(application, 0);
    EXPECT_EQ(sigsuspend(&old), -1);
    EXPECT_EQ(application, 1);
    sigprocmask(SIG_SETMASK, &old, nullptr);
    Disturbance again(SIGUSR1);
    EXPECT_EQ(pause(), -1);
    EXPECT_GE(application, 2);
}

}  // namespace
