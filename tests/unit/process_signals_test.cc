// Signals: what the application sees of its actions and masks, and what a restored process has of them.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/signals.h"
#include "preload/wrap.h"
#include "tests/process/copy.h"

using namespace sckpt;
using namespace testing_process;

namespace {

std::atomic<int> calls{0}, last_value{0}, ours{0};

void plain_handler(int) { ++calls; }
void info_handler(int, siginfo_t *info, void *) {
    ++calls;
    last_value = info->si_value.sival_int;
}
void our_handler(int, siginfo_t *, void *context) {
    ++self.our_signals;
    ++ours;
    deliver_pending(context);
}

std::uint64_t kernel_mask() {
    std::uint64_t mask = 0;
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, as_long(&mask), 8);
    return mask;
}
std::uint64_t kernel_handler(int signal) {
    std::uint64_t action[4] = {};
    system_call(SYS_rt_sigaction, signal, 0, as_long(action), 8);
    return action[0];
}

class Signals : public testing::Test {
  protected:
    void SetUp() override {
        hide_signals(our_handler);
        calls = last_value = ours = 0;
    }
    void TearDown() override {
        for (const int number : {SIGTERM, SIGUSR1, SIGUSR2, SIGURG}) signal(number, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
    }
};

TEST_F(Signals, HandlersAreCountedAndReportedAsTheApplicationSetThem) {
    struct sigaction action {
    }, got{};
    action.sa_handler = plain_handler;
    action.sa_flags = SA_RESTART | SA_NODEFER;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaddset(&action.sa_mask, SIGTERM);
    ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    ASSERT_EQ(sigaction(SIGUSR1, nullptr, &got), 0);
    EXPECT_EQ(got.sa_handler, plain_handler);
    EXPECT_EQ(got.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO), SA_RESTART | SA_NODEFER);
    EXPECT_TRUE(sigismember(&got.sa_mask, SIGTERM) && sigismember(&got.sa_mask, SIGUSR2));
    EXPECT_NE(kernel_handler(SIGUSR1), reinterpret_cast<std::uint64_t>(&plain_handler));
    const auto before = self.app_signals;
    raise(SIGUSR1);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(self.app_signals, before + 1);
    EXPECT_EQ(signal(SIGUSR1, SIG_IGN), plain_handler);
    EXPECT_EQ(signal(SIGUSR1, SIG_DFL), SIG_IGN);
}

TEST_F(Signals, AOneShotHandlerIsGoneAfterItsFirstRun) {
    struct sigaction action {
    }, got{};
    action.sa_handler = plain_handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int number : {SIGUSR1, SIGTERM}) {
        sigaction(number, &action, nullptr);
        raise(number);
        sigaction(number, nullptr, &got);
        EXPECT_EQ(got.sa_handler, SIG_DFL) << number;
    }
    EXPECT_EQ(calls, 2);
}

TEST_F(Signals, AHiddenSignalKeepsOurHandlerInTheKernel) {
    const std::uint64_t before = kernel_handler(SIGTERM);
    signal(SIGTERM, plain_handler);
    EXPECT_EQ(kernel_handler(SIGTERM), before);
    EXPECT_EQ(signal(SIGTERM, SIG_DFL), plain_handler);
    signal(SIGTERM, plain_handler);
    deliver_to_application(SIGTERM, nullptr, nullptr);
    EXPECT_EQ(calls, 1);
    signal(SIGTERM, SIG_IGN);
    deliver_to_application(SIGTERM, nullptr, nullptr);
    EXPECT_EQ(calls, 1);
}

TEST_F(Signals, AHiddenSignalIsBlockedInTheApplicationsEyesOnly) {
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    signal(SIGTERM, plain_handler);
    ASSERT_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
    EXPECT_FALSE(sigismember(&old, SIGTERM));
    EXPECT_EQ(kernel_mask() & (signal_bit(SIGTERM) | signal_bit(SIGUSR1)), signal_bit(SIGUSR1));
    EXPECT_TRUE(application_blocks(SIGTERM));
    raise(SIGTERM);
    EXPECT_EQ(calls, 0);
    sigpending(&pending);
    EXPECT_TRUE(sigismember(&pending, SIGTERM));
    ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &old, &set), 0);
    EXPECT_TRUE(sigismember(&set, SIGTERM) && sigismember(&set, SIGUSR1));
    EXPECT_EQ(calls, 1);
    sigpending(&pending);
    EXPECT_FALSE(sigismember(&pending, SIGTERM));
}

TEST_F(Signals, AMaskOfAHandlerCoversHiddenSignals) {
    struct sigaction action {};
    static int inside;
    inside = -1;
    action.sa_handler = [](int) {
        raise(SIGTERM);
        inside = calls;
    };
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, nullptr);
    signal(SIGTERM, plain_handler);
    raise(SIGUSR1);
    EXPECT_EQ(inside, 0);
    EXPECT_FALSE(application_blocks(SIGTERM));
    // As every handler of ours does at its end.
    deliver_pending(nullptr);
    EXPECT_EQ(calls, 1);
}

TEST_F(Signals, SigwaitGetsAHiddenSignal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGTERM);
    int got = 0;
    ASSERT_EQ(sigwait(&set, &got), 0);
    EXPECT_EQ(got, SIGTERM);
    raise(SIGUSR2);
    ASSERT_EQ(sigwait(&set, &got), 0);
    EXPECT_EQ(got, SIGUSR2);
    const timespec little{0, 1000000};
    EXPECT_EQ(sigtimedwait(&set, nullptr, &little), -1);
    EXPECT_EQ(errno, EAGAIN);
}

TEST_F(Signals, AThreadInSigwaitIsWokenByOneThatArrivesElsewhere) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    pthread_t thread;
    static std::atomic<ThreadRecord *> waiter;
    waiter = nullptr;
    pthread_create(
        &thread, nullptr,
        [](void *argument) -> void * {
            ThreadRecord *record = new_thread_record();
            adopt_thread(record);
            set_virtually_blocked(signal_bit(SIGTERM));
            waiter = record;
            int got = 0;
            sigwait(static_cast<sigset_t *>(argument), &got);
            record->alive = 0;
            return reinterpret_cast<void *>(static_cast<long>(got));
        },
        &set);
    while (!waiter) sys::yield();
    deliver_to_application(SIGTERM, nullptr, nullptr);
    void *result = nullptr;
    pthread_join(thread, &result);
    EXPECT_EQ(reinterpret_cast<long>(result), SIGTERM);
}

TEST_F(Signals, TheDefaultActionOfAHiddenSignalEndsTheProcess) {
    EXPECT_EQ(in_restored_copy([] {
                  hide_signals(our_handler);
                  set_virtually_blocked(0);
                  deliver_to_application(SIGURG, nullptr, nullptr);
                  deliver_to_application(SIGTERM, nullptr, nullptr);
                  return std::string("still alive");
              }),
              "ended by signal 15");
}

TEST_F(Signals, AForkedChildHasTheApplicationsOwnActions) {
    signal(SIGTERM, plain_handler);
    signal(SIGUSR1, plain_handler);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const auto own = reinterpret_cast<std::uint64_t>(&plain_handler);
        const bool good = kernel_handler(SIGTERM) == own && kernel_handler(SIGUSR1) == own &&
                          (kernel_mask() & signal_bit(SIGTERM)) && !recording();
        _exit(good ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(recording());
}

TEST_F(Signals, ActionsAndPendingSignalsComeBack) {
    struct sigaction action {};
    action.sa_sigaction = info_handler;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    sigaction(SIGUSR2, &action, nullptr);
    signal(SIGWINCH, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    sigqueue(getpid(), SIGUSR1, sigval{.sival_int = 41});
    pthread_sigqueue(pthread_self(), SIGUSR2, sigval{.sival_int = 1});
    Plan plan;
    ThreadSignals thread;
    QueuedSignals queued;
    record_signals(plan);
    record_thread_signals(thread);
    const std::uint64_t all = ~std::uint64_t{0};
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), 0, 8);
    copy_queued_signals(queued);
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&thread.mask), 0, 8);
    EXPECT_EQ(queued.size(), 1u);
    const auto row = std::find_if(plan.signals.begin(), plan.signals.end(),
                                  [](const image::Signal &one) { return one.number == SIGUSR1; });
    ASSERT_NE(row, plan.signals.end());
    EXPECT_EQ(row->handler, reinterpret_cast<std::uint64_t>(&info_handler));
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_signals());
                  restore_thread_signals(thread);
                  queue_signals_again(queued);
                  wrong += differs("calls", calls.load(), 0);
                  const std::uint64_t only1 = signal_bit(SIGUSR1), only2 = signal_bit(SIGUSR2);
                  system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&only1), 0, 8);
                  wrong += differs("calls", calls.load(), 1);
                  wrong += differs("value", last_value.load(), 41);
                  system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&only2), 0, 8);
                  wrong += differs("calls", calls.load(), 2);
                  wrong += differs("value", last_value.load(), 1);
                  wrong += differs("SIGWINCH", kernel_handler(SIGWINCH), 1);
                  return wrong;
              }),
              "");
    // Here they are pending still.
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    EXPECT_EQ(calls, 2);
}

TEST_F(Signals, TheAlternateStackOfAThreadComesBack) {
    static char memory[65536];
    const stack_t wanted{memory, 0, sizeof memory}, none{nullptr, SS_DISABLE, 0};
    sigaltstack(&wanted, nullptr);
    ThreadSignals thread;
    record_thread_signals(thread);
    sigaltstack(&none, nullptr);
    restore_thread_signals(thread);
    stack_t got{};
    sigaltstack(&none, &got);
    EXPECT_EQ(got.ss_sp, memory);
    EXPECT_EQ(got.ss_size, sizeof memory);
}

}  // namespace
