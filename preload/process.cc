// What the kernel keeps for the process as a whole: working directory, umask, soft limits, nice value, name; and its
// children, which no image can bring back.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "preload/base/log.h"
#include "preload/resources.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

constexpr int kLimits = RLIM_NLIMITS;

struct Saved {
    char directory[PATH_MAX];
    char name[17];
    int umask;
    int nice;
    rlimit limits[kLimits];
    bool limit_changed[kLimits];  // by the program, in this or an earlier incarnation
    bool nice_changed;
} saved;

// As the launcher gave them to this incarnation.
rlimit first_limits[kLimits];
int first_nice;

rlimit limit_now(int which) {
    rlimit now{};
    system_call(SYS_prlimit64, 0, which, 0, as_long(&now));
    return now;
}
int nice_now() { return 20 - static_cast<int>(system_call(SYS_getpriority, PRIO_PROCESS, 0)); }

void note_limits() {
    for (int which = 0; which < kLimits; ++which) first_limits[which] = limit_now(which);
    first_nice = nice_now();
}

int umask_now() {
    char text[4096];
    if (sys::read_file("/proc/self/status", text, sizeof text) > 0)
        if (const char *at = strstr(text, "\nUmask:")) return static_cast<int>(strtol(at + 7, nullptr, 8));
    const int now = static_cast<int>(system_call(SYS_umask, 077));
    system_call(SYS_umask, now);
    return now;
}

// Name, state and exit signal of a process, from its stat (proc(5)).
struct Child {
    char name[32] = "?";
    char state = '?';
    int exit_signal = SIGCHLD;
};
Child describe(const char *pid) {
    Child child;
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (sys::read_file(path, text, sizeof text) <= 0) return child;
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close) return child;
    snprintf(child.name, sizeof child.name, "%.*s", static_cast<int>(close - open - 1), open + 1);
    child.state = close[2];
    const char *field = close + 2;
    for (int number = 3; number < 38 && field; ++number) field = strchr(field + 1, ' ');
    if (field) child.exit_signal = static_cast<int>(strtol(field, nullptr, 10));
    return child;
}


// Children made by clone() without an exit signal are ours (spawn.h).
const char *first_child(char *list) {
    for (char *rest = list, *pid; (pid = strtok_r(rest, " ", &rest));) {
        const Child child = describe(pid);
        if (child.exit_signal == 0) continue;
        static char sentence[160];
        snprintf(sentence, sizeof sentence,
                 child.state == 'Z' ? "child process %s (%s) has ended but was not waited for"
                                    : "child process %s (%s) is alive",
                 pid, child.name);
        return sentence;
    }
    return nullptr;
}

// glibc's own forks (popen is none, forkpty and daemon are) pass this way, too.
[[gnu::constructor]] void start() {
    note_limits();
    if (recording()) pthread_atfork(nullptr, nullptr, stop_recording);
}

}  // namespace

void record_process(Plan &plan) {
    if (system_call(SYS_getcwd, as_long(saved.directory), sizeof saved.directory) < 0) saved.directory[0] = 0;
    saved.umask = umask_now();
    for (int which = 0; which < kLimits; ++which) {
        saved.limits[which] = limit_now(which);
        if (saved.limits[which].rlim_cur != first_limits[which].rlim_cur) saved.limit_changed[which] = true;
    }
    saved.nice = nice_now();
    if (saved.nice != first_nice) saved.nice_changed = true;
    const long length = sys::read_file("/proc/self/comm", saved.name, sizeof saved.name);
    if (length > 0 && saved.name[length - 1] == '\n') saved.name[length - 1] = 0;
    plan.process.umask = static_cast<std::uint32_t>(saved.umask);
    plan.process.directory = plan.add(saved.directory);
}

const char *blocker_process() {
    // getcwd() of a removed directory: nothing to go back to.
    char directory[PATH_MAX];
    if (system_call(SYS_getcwd, as_long(directory), sizeof directory) < 0 || directory[0] != '/')
        return "the working directory has been removed";
    const int tasks = static_cast<int>(sys::open("/proc/self/task", O_RDONLY | O_DIRECTORY));
    if (tasks < 0) return nullptr;
    const char *found = nullptr;
    alignas(dirent64) char buffer[4096];
    long length;
    while (!found && (length = system_call(SYS_getdents64, tasks, as_long(buffer), sizeof buffer)) > 0) {
        for (long at = 0; at < length && !found;) {
            const auto *entry = reinterpret_cast<const dirent64 *>(buffer + at);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.') continue;
            char path[64], list[4096];
            snprintf(path, sizeof path, "/proc/self/task/%.20s/children", entry->d_name);
            if (sys::read_file(path, list, sizeof list) > 0) found = first_child(list);
        }
    }
    sys::close(tasks);
    return found;
}

Restored restore_process() {
    note_limits();
    if (const long error = system_call(SYS_chdir, as_long(saved.directory)); error < 0)
        return std::unexpected("cannot go back to the working directory " + std::string(saved.directory) + ": " +
                               strerrordesc_np(static_cast<int>(-error)));
    system_call(SYS_umask, saved.umask);
    for (int which = 0; which < kLimits; ++which) {
        if (!saved.limit_changed[which]) continue;
        rlimit wanted = limit_now(which);
        if (saved.limits[which].rlim_cur > wanted.rlim_max)
            say(Severity::warning, "resource limit %d was %llu, only %llu is allowed here", which,
                static_cast<unsigned long long>(saved.limits[which].rlim_cur),
                static_cast<unsigned long long>(wanted.rlim_max));
        wanted.rlim_cur =
            saved.limits[which].rlim_cur < wanted.rlim_max ? saved.limits[which].rlim_cur : wanted.rlim_max;
        system_call(SYS_prlimit64, 0, which, as_long(&wanted), 0);
    }
    if (saved.nice_changed && system_call(SYS_setpriority, PRIO_PROCESS, 0, saved.nice) < 0)
        say(Severity::warning, "the nice value was %d, which is not allowed here", saved.nice);
    system_call(SYS_prctl, PR_SET_NAME, as_long(saved.name));
    return {};
}

}  // namespace sckpt
