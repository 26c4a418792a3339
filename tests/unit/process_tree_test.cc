// What /proc says of processes, by processes of which it is known.
#include "preload/process_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace sckpt;

namespace {

// A child that runs a shell command or only waits; killed at the end.
class Child {
  public:
    explicit Child(const char *command) {
        pid_ = fork();
        if (pid_ != 0) return;
        if (command) execl("/bin/sh", "sh", "-c", command, nullptr);
        for (;;) pause();
    }
    ~Child() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    int pid() const { return pid_; }

  private:
    int pid_;
};

bool becomes_true(const std::function<bool()> &condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::yield();
    }
    return false;
}

TEST(ProcessTree, ChildrenOfAllThreadsAreFound) {
    Child one(nullptr);
    int second = 0;
    std::thread([&] {
        second = fork();
        if (second == 0)
            for (;;) pause();
    }).join();
    ProcessQueue queue;
    add_children(getpid(), queue);
    EXPECT_NE(std::find(queue.pids, queue.pids + queue.count, one.pid()), queue.pids + queue.count);
    EXPECT_NE(std::find(queue.pids, queue.pids + queue.count, second), queue.pids + queue.count);
    kill(second, SIGKILL);
    waitpid(second, nullptr, 0);
}

TEST(ProcessTree, QueueHoldsAsManyAsItCan) {
    ProcessQueue queue;
    for (int i = 0; i < ProcessQueue::kCapacity + 5; ++i) queue.add(i + 1);
    EXPECT_EQ(queue.count, ProcessQueue::kCapacity);
}

TEST(ProcessTree, StateTellsParentEndAndExitSignal) {
    Child child(nullptr);
    const ProcessState state = state_of(child.pid());
    EXPECT_EQ(state.parent, getpid());
    EXPECT_EQ(state.exit_signal, SIGCHLD);
    kill(child.pid(), SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT);
    EXPECT_EQ(state_of(child.pid()).state, 'Z');
    EXPECT_EQ(state_of(0x7ffffffe).state, 'X');
}

// A process whose main thread has ended by pthread_exit(3) lives on in the others.
TEST(ProcessTree, AnotherThreadIsFoundWhereTheMainOneHasEnded) {
    const int pid = fork();
    if (pid == 0) {
        std::thread([] {
            for (;;) pause();
        }).detach();
        syscall(SYS_exit, 0);  // of this thread alone, and not through the handlers of gtest
    }
    EXPECT_TRUE(becomes_true([&] {
        const int living = living_thread(pid);
        return living != 0 && living != pid;
    }));
    EXPECT_EQ(state_of(pid).state, 'S');
    char own[PATH_MAX], its[PATH_MAX];
    ASSERT_NE(realpath("/proc/self/exe", own), nullptr);
    ASSERT_NE(realpath(("/proc/" + std::to_string(living_thread(pid)) + "/exe").c_str(), its), nullptr);
    EXPECT_STREQ(own, its);
    kill(pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    EXPECT_EQ(living_thread(pid), 0);
    EXPECT_EQ(state_of(pid).state, 'Z');
    waitpid(pid, nullptr, 0);
    EXPECT_EQ(living_thread(getpid()), getpid());
}

TEST(ProcessTree, ShellIsKnownByItsProgram) {
    EXPECT_FALSE(runs_commands_only(getpid()));
    Child shell("kill -STOP $$; :");
    EXPECT_TRUE(becomes_true([&] { return runs_commands_only(shell.pid()); }));
}

// The maps of a process are longer than one read of them: the name is found wherever it falls.
TEST(ProcessTree, MappedLibraryIsFoundAnywhereInTheList) {
    char directory[] = "/tmp/process_tree.XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    const std::string library = std::string(directory) + "/libsckpt.so", other = std::string(directory) + "/other";
    std::ofstream(library) << "x";
    std::ofstream(other) << "x";
    const int wanted = open(library.c_str(), O_RDONLY), filler = open(other.c_str(), O_RDONLY);
    EXPECT_FALSE(mapped_by(getpid()).interceptor);
    void *found = mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, wanted, 0);
    std::vector<void *> fillers;  // mapped from the top down: each moves the name by a line
    for (int i = 0; i < 200; ++i) {
        EXPECT_TRUE(mapped_by(getpid()).interceptor) << i;
        fillers.push_back(mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, filler, 0));
    }
    EXPECT_FALSE(mapped_by(getpid()).mpi);
    munmap(found, 1);
    EXPECT_FALSE(mapped_by(getpid()).interceptor);
    for (void *mapping : fillers) munmap(mapping, 1);
    close(wanted);
    close(filler);
    unlink(library.c_str());
    unlink(other.c_str());
    rmdir(directory);
}

}  // namespace
