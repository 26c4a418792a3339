// A process that is no rank: its SIGTERM waits for the ranks below it and for nothing else.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "preload/settings.h"
#include "preload/signals.h"
#include "preload/wrap.h"
#include "preload/wrapper.h"

using namespace sckpt;

namespace {

void handler_of_a_rank(int, siginfo_t *, void *) {}

// A child that has run `begin` when this returns, and then waits to be killed; it ends with its parent at the latest.
class Child {
  public:
    explicit Child(const std::function<void()> &begin) {
        int ends[2];
        char byte = 0;
        EXPECT_EQ(pipe(ends), 0);
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            begin();
            EXPECT_EQ(write(ends[1], "x", 1), 1);
            for (;;) poll(nullptr, 0, -1);
        }
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
        close(ends[0]);
        close(ends[1]);
    }
    ~Child() { end(); }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    int pid() const { return pid_; }
    // It stays a zombie.
    void kill_only() {
        siginfo_t info;
        kill(pid_, SIGKILL);
        real::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }
    void end() {
        if (pid_ < 0) return;
        kill(pid_, SIGKILL);
        real::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

  private:
    int pid_ = -1;
};

void become_rank() {
    // As hide_signals() does; in a forked child the wrappers are off, and the kernel gets what is asked for.
    struct sigaction action {};
    action.sa_sigaction = handler_of_a_rank;
    action.sa_flags = SA_SIGINFO;
    for (const int number : {SIGTERM, SIGURG, park_signal()}) real::sigaction(number, &action, nullptr);
}

// Runs `wrapper` in a child of its own and returns its wait status.
int status_of(const std::function<void()> &wrapper) {
    const int pid = fork();
    if (pid == 0) {
        start_wrapper();
        wrapper();
        _exit(0);
    }
    int status = -1;
    EXPECT_EQ(real::waitpid(pid, &status, 0), pid);
    return status;
}

// SIGTERM as it comes from outside.
void terminate_from_outside() {
    const int own = static_cast<int>(sys::getpid()), sender = fork();
    if (sender == 0) {
        real::kill(own, SIGTERM);
        _exit(0);
    }
    real::waitpid(sender, nullptr, 0);
}

int handled = 0;

TEST(Wrapper, FindsRanksAtAnyDepthAndNothingElse) {
    EXPECT_FALSE(rank_below());
    {
        Child shell([] { signal(SIGTERM, [](int) {}); });
        EXPECT_FALSE(rank_below());
        Child rank(become_rank);
        EXPECT_TRUE(rank_below());
        rank.kill_only();
        EXPECT_FALSE(rank_below()) << "a zombie was taken for a living rank";
    }
    EXPECT_FALSE(rank_below());
    Child middle([] { new Child(become_rank); });
    EXPECT_TRUE(rank_below());
}

TEST(Wrapper, WithoutARankSigtermIsNative) {
    int status = status_of(terminate_from_outside);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
    status = status_of([] {
        signal(SIGTERM, [](int) { handled = 1; });
        terminate_from_outside();
        _exit(handled ? 7 : 8);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    status = status_of([] {
        signal(SIGTERM, SIG_IGN);
        struct sigaction kernel {};
        real::sigaction(SIGTERM, nullptr, &kernel);  // what an exec would keep
        terminate_from_outside();
        _exit(kernel.sa_handler == SIG_IGN ? 9 : 10);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 9) << status;
}

TEST(Wrapper, HoldsSigtermUntilTheEndOfTheRankIsReported) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int status = status_of([&ends] {
        Child rank(become_rank);
        terminate_from_outside();
        if (write(ends[1], "h", 1) != 1) _exit(1);  // still here
        kill(rank.pid(), SIGKILL);
        waitpid(rank.pid(), nullptr, 0);
        if (write(ends[1], "!", 1) != 1) _exit(1);  // went on as if nothing had been
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
    close(ends[1]);
    char text[4] = "";
    EXPECT_EQ(read(ends[0], text, sizeof text), 1);
    EXPECT_EQ(text[0], 'h');
    close(ends[0]);
}

TEST(Wrapper, ItsOwnHandlerRunsWhenTheRankHasEnded) {
    const int status = status_of([] {
        signal(SIGTERM, [](int) { ++handled; });
        Child rank(become_rank);
        terminate_from_outside();
        const int early = handled;
        kill(rank.pid(), SIGKILL);
        waitpid(rank.pid(), nullptr, 0);
        _exit(early * 10 + handled);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
}

TEST(Wrapper, ASubshellIsAWrapperToo) {
    const int status = status_of([] {
        const int inner = fork();
        if (inner == 0) {
            Child rank(become_rank);
            terminate_from_outside();
            kill(rank.pid(), SIGKILL);
            waitpid(rank.pid(), nullptr, 0);
            _exit(0);
        }
        int ended = 0;
        waitpid(inner, &ended, 0);
        _exit(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGTERM ? 5 : 6);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << status;
}

TEST(Wrapper, ASignalThatItSendsItselfIsNotHeld) {
    const int status = status_of([] {
        Child rank(become_rank);
        real::kill(static_cast<int>(sys::getpid()), SIGTERM);
        rank.end();
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
}

}  // namespace
