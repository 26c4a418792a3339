#include "preload/process_tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <string_view>

#include "preload/base/system.h"

namespace sckpt {
namespace {

// The numbers of /proc/PID/task/TID/children, which can be longer than any buffer here.
void add_numbers(const char *path, ProcessQueue &queue) {
    const long fd = sys::open(path, O_RDONLY);
    if (fd < 0) return;
    char part[512];
    int number = 0;
    for (long got; (got = sys::read(static_cast<int>(fd), part, sizeof part)) > 0;)
        for (long i = 0; i < got; ++i) {
            if (part[i] >= '0' && part[i] <= '9') {
                number = number * 10 + (part[i] - '0');
            } else {
                if (number) queue.add(number);
                number = 0;
            }
        }
    if (number) queue.add(number);
    sys::close(static_cast<int>(fd));
}

// Calls use(id as text) for each thread until it returns false.
template <class Use>
void for_each_task(int pid, Use use) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    const int tasks = static_cast<int>(sys::open(path, O_RDONLY | O_DIRECTORY));
    if (tasks < 0) return;
    alignas(dirent64) char entries[1024];
    bool more = true;
    for (long length; more && (length = system_call(SYS_getdents64, tasks, as_long(entries), sizeof entries)) > 0;)
        for (long at = 0; at < length && more;) {
            const auto *entry = reinterpret_cast<const dirent64 *>(entries + at);
            at += entry->d_reclen;
            if (entry->d_name[0] != '.') more = use(entry->d_name);
        }
    sys::close(tasks);
}

// Of a process or thread by its stat, proc(5).
bool has_ended(const char *path) {
    char text[1024];
    if (sys::read_file(path, text, sizeof text) <= 0) return true;
    const char *field = strrchr(text, ')');
    return !field || field[2] == 'Z' || field[2] == 'X';
}

// A main thread that has ended is counted as long as there are others.
bool has_other_threads(int pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (sys::read_file(path, text, sizeof text) <= 0) return false;
    const char *field = strrchr(text, ')');
    for (int number = 1; number < 19 && field; ++number) field = strchr(field + 1, ' ');
    return field && atoi(field) > 1;
}

}  // namespace

void add_children(int pid, ProcessQueue &queue) {
    for_each_task(pid, [&](const char *task) {
        char path[80];
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, task);
        add_numbers(path, queue);
        return true;
    });
}

int living_thread(int pid) {
    char path[80];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (!has_ended(path)) return pid;
    int living = 0;
    constexpr int kTries = 100;  // one after the other may end just then
    for (int i = 0; i < kTries && !living && has_other_threads(pid); ++i)
        for_each_task(pid, [&](const char *task) {
            snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", pid, task);
            if (!has_ended(path)) living = atoi(task);
            return living == 0;
        });
    return living;
}

Mapped mapped_by(int pid) {
    Mapped found;
    char path[32], part[4096];
    snprintf(path, sizeof path, "/proc/%d/maps", living_thread(pid));
    const int fd = static_cast<int>(sys::open(path, O_RDONLY));
    if (fd < 0) return found;
    // A name can lie across two parts: the end of each is looked at again with the next.
    constexpr size_t kOverlap = 32;
    size_t kept = 0;
    for (long got; (got = sys::read(fd, part + kept, sizeof part - kept)) > 0;) {
        const std::string_view text(part, kept + static_cast<size_t>(got));
        if (text.find("/libsckpt.so") != text.npos) found.interceptor = true;
        if (text.find("/libmpi.so") != text.npos || text.find("/libsckpt_lower.so") != text.npos) found.mpi = true;
        kept = std::min(kOverlap, text.size());
        memmove(part, part + text.size() - kept, kept);
    }
    sys::close(fd);
    return found;
}

ProcessState state_of(int pid) {
    ProcessState state;
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (sys::read_file(path, text, sizeof text) <= 0) return state;
    const char *field = strrchr(text, ')');
    if (!field) return state;
    field += 2;
    state.state = *field == 'Z' && has_other_threads(pid) ? 'S' : *field;
    for (int number = 3; number < 38 && field; ++number) {
        field = strchr(field + 1, ' ');
        if (field && number == 3) state.parent = atoi(field);
    }
    if (field) state.exit_signal = atoi(field);
    return state;
}

bool runs_commands_only(int pid) {
    static constexpr std::string_view kNames[] = {
        "ash",   "bash", "busybox", "csh",  "dash", "fish",    "ksh",     "ksh93", "lksh", "mksh", "posh",
        "rbash", "sh",   "strace",  "tcsh", "time", "timeout", "unshare", "xargs", "yash", "zsh",  "zsh5"};
    char path[32], target[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/exe", living_thread(pid));
    const long length = system_call(SYS_readlink, as_long(path), as_long(target), sizeof target);
    if (length <= 0) return false;
    std::string_view name(target, static_cast<size_t>(length));
    name.remove_prefix(name.rfind('/') + 1);
    if (name.ends_with(" (deleted)")) name.remove_suffix(10);
    return std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace sckpt
