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

// The stat of a process, or of one thread of it, proc(5).
class Stat {
  public:
    explicit Stat(int pid, const char *task = nullptr) {
        char path[80];
        if (task)
            snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", pid, task);
        else
            snprintf(path, sizeof path, "/proc/%d/stat", pid);
        if (sys::read_file(path, text_, sizeof text_) > 0) name_end_ = strrchr(text_, ')');
    }

    // 'X' where there is none.
    char state() const { return name_end_ ? name_end_[2] : 'X'; }
    bool has_ended() const { return state() == 'Z' || state() == 'X'; }
    // A main thread that has ended is counted as long as there are others.
    bool has_other_threads() const { return field(20) > 1; }
    // By its number in the manual page, behind the state (3); 0 where there is none.
    int field(int number) const {
        const char *at = name_end_;
        for (int passed = 2; passed < number && at; ++passed) at = strchr(at + 1, ' ');
        return at ? atoi(at) : 0;
    }

  private:
    char text_[1024];
    const char *name_end_ = nullptr;
};

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
    if (!Stat(pid).has_ended()) return pid;
    int living = 0;
    constexpr int kTries = 100;  // one after the other may end just then
    for (int i = 0; i < kTries && !living && Stat(pid).has_other_threads(); ++i)
        for_each_task(pid, [&](const char *task) {
            if (!Stat(pid, task).has_ended()) living = atoi(task);
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
    const Stat stat(pid);
    const char state = stat.state() == 'Z' && stat.has_other_threads() ? 'S' : stat.state();
    return {.parent = stat.field(4), .state = state, .exit_signal = stat.field(38)};
}

std::optional<std::uint64_t> status_field(const char *path, const char *name, int base) {
    char text[4096];
    if (sys::read_file(path, text, sizeof text) <= 0) return std::nullopt;
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), nullptr, base) : 0;
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
