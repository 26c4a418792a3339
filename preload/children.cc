// Child processes, which no image can bring back.  One that ends soon is waited for: system(3) and popen(3) are over in
// a moment; a checkpoint that comes meanwhile is asked for again until the patience has an end.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/base/clock.h"
#include "preload/process_tree.h"
#include "preload/resources.h"
#include "preload/settings.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

constexpr std::int64_t kPatience = 5 * kSecondNs;
std::int64_t waiting_since = 0;  // CLOCK_MONOTONIC, ns; 0: there was no child the last time, or the patience had an end

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
                 child.state == 'Z' && !living_thread(atoi(pid))
                     ? "child process %s (%s) has ended but was not waited for"
                     : "child process %s (%s) is alive",
                 pid, child.name);
        return sentence;
    }
    return nullptr;
}

const char *find_child() {
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

}  // namespace

const char *blocker_children(bool &may_pass) {
    const char *child = settings().spec.ignore_children ? nullptr : find_child();
    if (!child) {
        waiting_since = 0;
        return nullptr;
    }
    const std::int64_t now = kernel_time(CLOCK_MONOTONIC);
    if (!waiting_since) waiting_since = now;
    may_pass = now - waiting_since < kPatience;
    if (!may_pass) waiting_since = 0;
    return child;
}

}  // namespace sckpt
