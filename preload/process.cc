// What the kernel keeps for the process as a whole: working directory, umask, limits, name, and what prctl(2) and its
// like have set.  What the launcher gave stays the launcher's business; what the program changed is changed again.
#include <linux/ioprio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>

#include "preload/base/log.h"
#include "preload/process_tree.h"
#include "preload/resources.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

constexpr int kLimits = RLIM_NLIMITS;

struct Saved {
    char directory[PATH_MAX];
    char name[17];
    int umask;
    rlimit limits[kLimits];
    bool limit_changed[kLimits];  // by the program, in this or an earlier incarnation
    int lock_future;              // MCL_FUTURE and MCL_ONFAULT, of mlockall(2)
} saved;

// As the launcher gave them to this incarnation.
rlimit first_limits[kLimits];
std::optional<std::uint64_t> first_filters;

rlimit limit_now(int which) {
    rlimit now{};
    system_call(SYS_prlimit64, 0, which, 0, as_long(&now));
    return now;
}

long prctl_value(int option) {
    int value = 0;
    const long result = system_call(SYS_prctl, option, as_long(&value));
    return result < 0 ? result : value;
}

constexpr char kOomPath[] = "/proc/self/oom_score_adj";
long read_number(const char *path) {
    char text[32];
    return sys::read_file(path, text, sizeof text) > 0 ? strtol(text, nullptr, 10) : 0;
}
long write_number(const char *path, long value) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%ld", value);
    const long fd = sys::open(path, O_WRONLY);
    if (fd < 0) return fd;
    const long written = sys::write(static_cast<int>(fd), text, static_cast<size_t>(length));
    sys::close(static_cast<int>(fd));
    return written;
}

// One number of the kernel's about this process, or about the thread that asks.
struct Setting {
    const char *name;
    long (*get)();
    long (*set)(long value);
    long first = 0, saved = 0;
    bool changed = false;
};
Setting settings_of_kernel[] = {
    {"priority for input and output", [] { return system_call(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0); },
     [](long value) { return system_call(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value); }},
    {"personality", [] { return system_call(SYS_personality, 0xffffffff); },
     [](long value) { return system_call(SYS_personality, value); }},
    {"signal at the parent's end", [] { return prctl_value(PR_GET_PDEATHSIG); },
     [](long value) { return system_call(SYS_prctl, PR_SET_PDEATHSIG, value); }},
    {"child subreaper", [] { return prctl_value(PR_GET_CHILD_SUBREAPER); },
     [](long value) { return system_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, value); }},
    {"no_new_privs", [] { return system_call(SYS_prctl, PR_GET_NO_NEW_PRIVS); },
     [](long value) { return system_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, value); }},
    {"disabling of huge pages", [] { return system_call(SYS_prctl, PR_GET_THP_DISABLE); },
     [](long value) { return system_call(SYS_prctl, PR_SET_THP_DISABLE, value); }},
    {"score for the OOM killer", [] { return read_number(kOomPath); },
     [](long value) { return write_number(kOomPath, value); }},
    {"dumpable state", [] { return system_call(SYS_prctl, PR_GET_DUMPABLE); },
     [](long value) { return system_call(SYS_prctl, PR_SET_DUMPABLE, value); }}};

constexpr char kStatus[] = "/proc/thread-self/status";

// Filters that a launcher or a container has put around us are there again after a restart.
// Nothing when they cannot be read.
std::optional<std::uint64_t> seccomp_filters() {
    constexpr char kOfMain[] = "/proc/self/status";
    const auto mode = status_field(kOfMain, "\nSeccomp:", 10),
               filters = status_field(kOfMain, "\nSeccomp_filters:", 10);
    if (!mode || !filters) return std::nullopt;
    return *mode * 1000 + *filters;
}

void note_first() {
    for (int which = 0; which < kLimits; ++which) first_limits[which] = limit_now(which);
    for (Setting &setting : settings_of_kernel) setting.first = setting.get();
    first_filters = seccomp_filters();
}

// mlockall(MCL_FUTURE) shows only in what is mapped after it.
int lock_future_now() {
    constexpr long kPage = 4096;
    const auto before = status_field(kStatus, "\nVmLck:", 10);
    const long page = system_call(SYS_mmap, 0, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (failed(page)) return 0;
    unsigned char there = 0;
    system_call(SYS_mincore, page, kPage, as_long(&there));
    const bool locked = status_field(kStatus, "\nVmLck:", 10) > before;
    system_call(SYS_munmap, page, kPage);
    return locked ? MCL_FUTURE | (there & 1 ? 0 : MCL_ONFAULT) : 0;
}

int umask_now() {
    if (const auto umask = status_field(kStatus, "\nUmask:", 8).value_or(0)) return static_cast<int>(umask);
    const int now = static_cast<int>(system_call(SYS_umask, 077));
    system_call(SYS_umask, now);
    return now;
}

// glibc's own forks (popen is none, forkpty and daemon are) pass this way, too.
[[gnu::constructor]] void start() {
    note_first();
    if (recording()) pthread_atfork(nullptr, nullptr, stop_recording);
}

}  // namespace

void record_process(Plan &plan) {
    if (system_call(SYS_getcwd, as_long(saved.directory), sizeof saved.directory) < 0) saved.directory[0] = 0;
    saved.umask = umask_now();
    for (int which = 0; which < kLimits; ++which) {
        saved.limits[which] = limit_now(which);
        if (memcmp(&saved.limits[which], &first_limits[which], sizeof(rlimit)) != 0) saved.limit_changed[which] = true;
    }
    for (Setting &setting : settings_of_kernel) {
        setting.saved = setting.get();
        if (setting.saved != setting.first) setting.changed = true;
    }
    saved.lock_future = lock_future_now();
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
    const auto filters = seccomp_filters();
    if (filters && first_filters && filters != first_filters) return "the program has installed a seccomp filter";
    return nullptr;
}

Restored restore_process() {
    note_first();
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
        wanted.rlim_max = std::min(saved.limits[which].rlim_max, wanted.rlim_max);
        wanted.rlim_cur = std::min(saved.limits[which].rlim_cur, wanted.rlim_max);
        system_call(SYS_prlimit64, 0, which, as_long(&wanted), 0);
    }
    for (const Setting &setting : settings_of_kernel)
        if (setting.changed && setting.saved != setting.first && setting.set(setting.saved) < 0)
            say(Severity::warning, "the %s was %ld, which is not allowed here", setting.name, setting.saved);
    if (saved.lock_future && system_call(SYS_mlockall, saved.lock_future) < 0)
        say(Severity::warning, "memory that is mapped from now on cannot be locked here");
    system_call(SYS_prctl, PR_SET_NAME, as_long(saved.name));
    return {};
}

}  // namespace sckpt
