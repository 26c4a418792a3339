// Timers, clocks, identity, and what belongs to the process as a whole.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>

#include "preload/deadlines.h"
#include "preload/resources.h"
#include "preload/wrap.h"
#include "tests/process/copy.h"

using namespace sckpt;
using namespace testing_process;

namespace {

TEST(Timers, IntervalTimersHaveWhatWasLeft) {
    const itimerval armed{{7, 500000}, {1000, 0}};
    setitimer(ITIMER_REAL, &armed, nullptr);
    Plan plan;
    record_timers(plan);
    ASSERT_EQ(plan.interval_timers.size(), 1u);
    EXPECT_EQ(plan.interval_timers[0].thread, gettid());
    EXPECT_EQ(plan.interval_timers[0].interval_us, 7500000);
    EXPECT_EQ(in_restored_copy([] {
                  std::string wrong = why(restore_timers());
                  itimerval now{};
                  getitimer(ITIMER_REAL, &now);
                  if (now.it_value.tv_sec < 900) wrong += "not armed";
                  wrong += differs("interval", now.it_interval.tv_usec, 500000);
                  return wrong;
              }),
              "");
    alarm(0);
}

TEST(Timers, PosixTimersHaveTheirNumbersTimesAndThreads) {
    static std::atomic<int> ticks;
    static std::atomic<pid_t> where;
    ticks = 0;
    timer_t process, gone, thread, idle;
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &process), 0);
    ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &gone), 0);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR2;
    event._sigev_un._tid = gettid();
    ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &thread), 0);
    ASSERT_EQ(timer_create(CLOCK_REALTIME, nullptr, &idle), 0);
    timer_delete(gone);
    const itimerspec distant{{3, 0}, {500, 0}}, soon{{0, 2'000'000}, {50, 0}};
    timer_settime(process, 0, &distant, nullptr);
    timer_settime(thread, 0, &soon, nullptr);
    Plan plan;
    record_timers(plan);
    EXPECT_EQ(plan.posix_timers.size(), 3u);
    EXPECT_EQ(in_restored_copy([&] {
                  restored_process = true;
                  std::string wrong = why(restore_posix_timers());
                  struct sigaction action {};
                  action.sa_handler = [](int) {
                      ++ticks;
                      where = static_cast<pid_t>(sys::gettid());
                  };
                  sigaction(SIGUSR2, &action, nullptr);
                  itimerspec now{};
                  wrong += differs("process timer", timer_gettime(process, &now), 0);
                  wrong += differs("interval", now.it_interval.tv_sec, 3);
                  if (now.it_value.tv_sec < 490) wrong += "not armed";
                  wrong += differs("deleted timer", timer_gettime(gone, &now), -1);
                  wrong += differs("idle timer", timer_gettime(idle, &now), 0);
                  wrong += differs("its time", now.it_value.tv_sec, 0);
                  wrong += differs("thread timer", timer_gettime(thread, &now), 0);
                  const itimerspec at_once{{0, 2'000'000}, {0, 1'000'000}};
                  timer_settime(thread, 0, &at_once, nullptr);
                  const std::uint64_t only = signal_bit(SIGUSR2);
                  system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&only), 0, 8);
                  while (ticks < 2) sys::yield();
                  wrong += differs("thread", where.load(), static_cast<int>(sys::gettid()));
                  return wrong;
              }),
              "");
    for (timer_t one : {process, thread, idle}) EXPECT_EQ(timer_delete(one), 0);
}

TEST(Clocks, GoOnFromTheCut) {
    Plan plan;
    const timespec before = to_timespec(program_time(CLOCK_MONOTONIC));
    record_identity(plan);
    const std::int64_t cut = plan.process.monotonic_ns;
    // On another node the clock can stand anywhere; here it is the recorded time that is moved.
    usleep(20'000);
    EXPECT_EQ(in_restored_copy([&] {
                  const std::int64_t kernel = program_time(CLOCK_MONOTONIC);
                  std::string wrong = why(restore_identity());
                  timespec now{};
                  clock_gettime(CLOCK_MONOTONIC, &now);
                  if (to_ns(now) < cut || to_ns(now) > cut + kSecondNs)
                      wrong += "not at the cut: " + std::to_string(to_ns(now) - cut);
                  if (kernel - to_ns(now) < 15'000'000) wrong += "not shifted";
                  if (to_ns(before) > to_ns(now)) wrong += "backwards";
                  const timespec soon = to_timespec(to_ns(now) + 30'000'000);
                  wrong += differs("sleep", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &soon, nullptr), 0);
                  clock_gettime(CLOCK_MONOTONIC, &now);
                  if (to_ns(now) < to_ns(soon)) wrong += "slept too little";
                  if (to_ns(now) > to_ns(soon) + kSecondNs) wrong += "slept too long";
                  return wrong;
              }),
              "");
}

TEST(Clocks, ADeadlineInTheKernelMovesAlong) {
    const timespec wanted = to_timespec(program_time(CLOCK_MONOTONIC) + kSecondNs);
    KernelDeadline deadline(CLOCK_MONOTONIC, &wanted);
    std::int64_t change[kShiftedClocks] = {};
    change[CLOCK_MONOTONIC] = 5 * kSecondNs;
    EXPECT_EQ(to_ns(*deadline.get()), to_ns(wanted));
    move_deadlines(change);
    EXPECT_EQ(to_ns(*deadline.get()), to_ns(wanted) + 5 * kSecondNs);
}

TEST(Identity, IdsStayWhatTheProgramKnows) {
    Plan plan;
    record_identity(plan);
    const pid_t process = getpid(), thread = gettid();
    const pthread_t handle = pthread_self();
    EXPECT_EQ(plan.process.pid, process);
    static std::atomic<int> hits;
    hits = 0;
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_identity());
                  wrong += differs("getpid", getpid(), process);
                  wrong += differs("gettid", gettid(), thread);
                  if (sys::getpid() == process) wrong += "the copy has the same id";
                  signal(SIGUSR1, [](int) { ++hits; });
                  const std::uint64_t only = signal_bit(SIGUSR1);
                  system_call(SYS_rt_sigprocmask, SIG_UNBLOCK, as_long(&only), 0, 8);
                  wrong += differs("kill", kill(process, SIGUSR1), 0);
                  wrong += differs("hits", hits.load(), 1);
                  wrong += differs("tgkill", tgkill(process, thread, SIGUSR1), 0);
                  wrong += differs("hits", hits.load(), 2);
                  wrong += differs("pthread_kill", pthread_kill(handle, SIGUSR1), 0);
                  wrong += differs("hits", hits.load(), 3);
                  wrong += differs("raise", raise(SIGUSR1), 0);
                  wrong += differs("hits", hits.load(), 4);
                  cpu_set_t set;
                  wrong += differs("affinity", pthread_getaffinity_np(handle, sizeof set, &set), 0);
                  wrong += differs("set", pthread_setaffinity_np(handle, sizeof set, &set), 0);
                  wrong += differs("sched", sched_getaffinity(thread, sizeof set, &set), 0);
                  int policy = -1;
                  sched_param parameter;
                  wrong += differs("policy", pthread_getschedparam(handle, &policy, &parameter), 0);
                  clockid_t clock = 0;
                  timespec time;
                  wrong += differs("cpu clock", pthread_getcpuclockid(handle, &clock), 0);
                  wrong += differs("its time", clock_gettime(clock, &time), 0);
                  return wrong;
              }),
              "");
}

TEST(Process, DirectoryMaskAndLimitsComeBack) {
    char name[] = "/tmp/sckpt_process_XXXXXX";
    const std::filesystem::path directory = mkdtemp(name), before = std::filesystem::current_path();
    ASSERT_EQ(chdir(directory.c_str()), 0);
    const mode_t old = umask(0137);
    rlimit limit{}, first{};
    getrlimit(RLIMIT_NOFILE, &first);
    limit = first;
    limit.rlim_cur = 777;
    setrlimit(RLIMIT_NOFILE, &limit);
    Plan plan;
    record_process(plan);
    EXPECT_EQ(plan.process.umask, 0137u);
    EXPECT_EQ(plan.text(plan.process.directory), directory.string());
    umask(old);
    setrlimit(RLIMIT_NOFILE, &first);
    ASSERT_EQ(chdir(before.c_str()), 0);
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_process());
                  rlimit now{};
                  getrlimit(RLIMIT_NOFILE, &now);
                  wrong += differs("limit", now.rlim_cur, 777);
                  wrong += differs("umask", umask(0), 0137);
                  if (std::filesystem::current_path() != directory) wrong += "elsewhere";
                  return wrong;
              }),
              "");
    rmdir(directory.c_str());
    EXPECT_EQ(in_restored_copy([&] { return why(restore_process()); }),
              "cannot go back to the working directory " + directory.string() + ": No such file or directory\n");
}

TEST(Process, AChildIsNamed) {
    bool may_pass = false;
    EXPECT_EQ(blocker_children(may_pass), nullptr) << blocker_children(may_pass);
    EXPECT_FALSE(may_pass);
    int gate[2];
    ASSERT_EQ(pipe(gate), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        char byte;
        _exit(static_cast<int>(read(gate[0], &byte, 1)));
    }
    const char *sentence = blocker_children(may_pass);
    ASSERT_NE(sentence, nullptr);
    EXPECT_TRUE(std::string(sentence).starts_with("child process " + std::to_string(child) + " (")) << sentence;
    EXPECT_TRUE(std::string(sentence).ends_with(") is alive")) << sentence;
    EXPECT_TRUE(may_pass);
    close(gate[0]);
    close(gate[1]);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    sentence = blocker_children(may_pass);
    ASSERT_NE(sentence, nullptr);
    EXPECT_NE(std::string(sentence).find("has ended but was not waited for"), std::string::npos) << sentence;
    waitpid(child, nullptr, 0);
    EXPECT_EQ(blocker_children(may_pass), nullptr);
}

}  // namespace
