// A rank is known by what it handles: SIGTERM, SIGURG and the parking signal together (SigCgt in proc(5)).  It does so
// from its MPI_Init to its end, restored or not, and never in a child that it forks; no file has to be written for it,
// and none can be left behind.  A program that handles every signal there is (Go's do) is taken for one too: then the
// wrapper waits for its end, which the same SIGTERM is about to bring.
//
// The wrapper goes on while it holds a SIGTERM (it may have to pass on the rank's output).  What it must not do is go
// on as if the rank had finished: so it is the call that reports the rank's end to it that brings the SIGTERM back.
#include "preload/wrapper.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

#include <atomic>

#include "preload/process_tree.h"
#include "preload/settings.h"
#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

std::atomic<bool> held{false};
siginfo_t held_info;

bool is_living_rank(int pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    const std::uint64_t caught = status_field(path, "\nSigCgt:", 16).value_or(0), wanted = all_hidden_signals();
    return (caught & wanted) == wanted && living_thread(pid);
}

bool sent_by_itself(const siginfo_t *info) {
    return (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE) &&
           info->si_pid == static_cast<int>(sys::getpid());
}

void on_terminate(int number, siginfo_t *info, void *context) {
    const int saved_errno = errno;
    if (sent_by_itself(info) || !hold_for_rank_below(*info)) {
        held = false;
        run_own_action(number, info, context);
    }
    errno = saved_errno;
}

// After a call that can have reported the end of a child.
template <class Result>
Result waited(Result result) {
    if (held && !rank_below() && held.exchange(false)) [[unlikely]] {
        const int saved_errno = errno;
        system_call(SYS_rt_sigqueueinfo, sys::getpid(), kTerminateSignal, as_long(&held_info));
        errno = saved_errno;
    }
    return result;
}

}  // namespace

bool rank_below() {
    ProcessQueue queue;
    add_children(static_cast<int>(sys::getpid()), queue);
    for (int i = 0; i < queue.count; ++i) {
        if (is_living_rank(queue.pids[i])) return true;
        add_children(queue.pids[i], queue);
    }
    return false;
}

bool hold_for_rank_below(const siginfo_t &info) {
    if (!rank_below()) return false;
    held_info = info;
    held = true;
    return true;
}

void start_wrapper() {
    const base::Spec &spec = settings().spec;
    if (!spec.on_term && !spec.on_preempt && !spec.on_timelimit) return;
    // What was held at a fork is the parent's.
    pthread_atfork(nullptr, nullptr, [] { held = false; });
    stand_before_terminate(on_terminate);
}

}  // namespace sckpt

using namespace sckpt;

// These are used in forked children as well, where nothing else is recorded.
#define WAIT_WRAPPER(result, name, parameters, arguments) \
    SCKPT_WRAPPER result name parameters {                \
        recording();                                      \
        return waited(real::name arguments);              \
    }
WAIT_WRAPPER(pid_t, wait, (int *status), (status))
WAIT_WRAPPER(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WAIT_WRAPPER(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))
WAIT_WRAPPER(int, system, (const char *command), (command))
WAIT_WRAPPER(int, pclose, (FILE * file), (file))
#undef WAIT_WRAPPER
SCKPT_WRAPPER pid_t wait3(int *status, int options, rusage *usage) noexcept {
    recording();
    return waited(real::wait3(status, options, usage));
}
SCKPT_WRAPPER pid_t wait4(pid_t pid, int *status, int options, rusage *usage) noexcept {
    recording();
    return waited(real::wait4(pid, status, options, usage));
}
