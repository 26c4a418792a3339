#include "preload/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "preload/base/clock.h"
#include "preload/base/log.h"
#include "preload/base/system.h"

namespace sckpt {
namespace {

void add_plain_environment(std::vector<char *> &variables) {
    for (char **variable = environ; *variable; ++variable)
        if (!std::string_view(*variable).starts_with("LD_PRELOAD=")) variables.push_back(*variable);
    variables.push_back(nullptr);
}

// What becomes the program.
struct Child {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const int *keep;  // sorted
    size_t kept;
    int output;
    char *holder_id;  // where the holder writes its process id, or null
};

// Between clone and exec: system calls only, no call that could disturb the frame that it shares with its parent.
// Returns only when the exec fails.
[[gnu::always_inline]] inline void become(const Child &child) {
    // Signals are still blocked from the parent's side, so that no handler of the application runs here.
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        unsigned long mask;
    } standard{SIG_DFL, 0, nullptr, 0};
    for (int number = 1; number <= 64; ++number) system_call(SYS_rt_sigaction, number, as_long(&standard), 0, 8);
    if (!child.holder_id) system_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    if (child.output >= 0) system_call(SYS_dup2, child.output, 1);
    unsigned next = 3;
    for (size_t i = 0; i < child.kept; ++i) {
        const auto fd = static_cast<unsigned>(child.keep[i]);
        if (fd > next) system_call(SYS_close_range, next, fd - 1, 0);
        system_call(SYS_fcntl, fd, F_SETFD, 0);
        next = fd + 1;
    }
    system_call(SYS_close_range, next, ~0u, 0);
    const unsigned long none = 0;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&none), 0, 8);
    system_call(SYS_execve, as_long(child.path), as_long(child.arguments), as_long(child.environment));
    system_call(SYS_exit, 127);
}

// Not inlined: the child lives on this frame until it has become another program.
[[gnu::noinline]] long clone_and_become(const Child &child) {
    const long pid = system_call(SYS_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
    if (pid == 0) become(child);
    return pid;
}

void write_decimal(char *text, long value) {
    char digits[16];
    int length = 0;
    do digits[length++] = static_cast<char>('0' + value % 10);
    while (value /= 10);
    while (length) *text++ = digits[--length];
    *text = 0;
}

// The holder: system calls only, and nothing of its memory changes that the image needs.
[[noreturn]] void hold(const Child &child) {
    if (child.holder_id) {
        write_decimal(child.holder_id, sys::getpid());
        system_call(SYS_prctl, PR_SET_NAME, as_long("sckpt-snapshot"));
        // Yama lets only descendants be read otherwise.
        system_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    } else {
        system_call(SYS_prctl, PR_SET_NAME, as_long("sckpt-holder"));
    }
    const long program = clone_and_become(child);
    // The application's descriptors: a pipe must not stay open because of us.
    system_call(SYS_close_range, 0, ~0u, 0);
    int status = 127 << 8;
    while (program > 0 && system_call(SYS_wait4, program, as_long(&status), __WALL, 0) == -EINTR) {
    }
    for (;;) system_call(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

int spawn(Program &program) {
    auto &[arguments, environment, keep] = program.for_kernel;
    arguments.clear();
    for (std::string &argument : program.arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    environment.clear();
    add_plain_environment(environment);
    keep = program.keep;
    std::ranges::sort(keep);
    char *const holder_id = program.holder_argument < 0 ? nullptr : arguments[static_cast<size_t>(program.holder_argument)];
    const Child child{arguments[0], arguments.data(), environment.data(), keep.data(), keep.size(), program.output,
                      holder_id};
    const unsigned long all = ~0ul;
    unsigned long before;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), as_long(&before), 8);
    long pid = system_call(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0) hold(child);
    if (pid < 0 && !holder_id) pid = clone_and_become(child);
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&before), 0, 8);
    return static_cast<int>(pid);
}

int reap(int process, bool block) {
    int status = 0;
    long result;
    do result = system_call(SYS_wait4, process, as_long(&status), __WALL | (block ? 0 : WNOHANG), 0);
    while (result == -EINTR);
    return result == process ? status : -1;
}

std::string run_for_output(const Program &program, int timeout_ms, int *status) {
    *status = -1;
    int ends[2];
    if (system_call(SYS_pipe2, as_long(ends), O_CLOEXEC) < 0) return {};
    Program piped = program;
    piped.output = ends[1];
    const int process = spawn(piped);
    sys::close(ends[1]);
    std::string text;
    const std::int64_t begun = kernel_time(CLOCK_MONOTONIC);
    while (process > 0) {
        const long left = timeout_ms - (kernel_time(CLOCK_MONOTONIC) - begun) / 1'000'000;
        if (left <= 0) {
            system_call(SYS_kill, process, SIGKILL);
            break;
        }
        pollfd ready{ends[0], POLLIN, 0};
        system_call(SYS_poll, as_long(&ready), 1, left);
        if (!ready.revents) continue;
        char part[4096];
        const long got = sys::read(ends[0], part, sizeof part);
        if (got == -EINTR) continue;
        if (got <= 0 || text.size() > 65536) break;
        text.append(part, static_cast<size_t>(got));
    }
    sys::close(ends[0]);
    if (process > 0) *status = reap(process, true);
    return text;
}

}  // namespace sckpt
