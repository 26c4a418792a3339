#include "preload/snapshot.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/files.h"
#include "preload/resources.h"
#include "preload/settings.h"
#include "preload/spawn.h"
#include "preload/world.h"

namespace sckpt {
namespace {

int out_of_the_way(int fd) {
    const long high = sys::set_aside(fd, sys::kFirstOwnDescriptor);
    const int kept = high >= 0 ? static_cast<int>(high) : fd;
    mark_own_descriptor(kept);
    return kept;
}

std::uint64_t inode_of(int fd) {
    struct stat info;
    return system_call(SYS_fstat, fd, as_long(&info)) == 0 ? info.st_ino : 0;
}

// Waits for more of the writer's reports.  False when there will be none.
bool take_report(WriteJob &job) {
    const size_t length = strlen(job.reported);
    char surplus[256];
    const bool full = length + 1 >= sizeof job.reported;
    long got;
    do {
        got = full ? sys::read(job.status, surplus, sizeof surplus)
                   : sys::read(job.status, job.reported + length, sizeof job.reported - 1 - length);
    } while (got == -EINTR);
    if (got <= 0) return false;
    if (!full) job.reported[length + static_cast<size_t>(got)] = 0;
    return true;
}

std::string reason(long error) { return strerrordesc_np(static_cast<int>(-error)); }

void close_pipes(WriteJob &job) {
    for (int *fd : {&job.status, &job.go}) {
        if (*fd < 0) continue;
        unmark_own_descriptor(*fd);
        if (fd != &job.status || inode_of(*fd) == job.status_inode) sys::close(*fd);
        *fd = -1;
    }
}

}  // namespace

std::string start_write(WriteJob &job, const Plan &plan, const std::string &partial, bool in_place) {
    job.reported[0] = 0;
    job.undone = false;
    strncpy(job.partial, partial.c_str(), sizeof job.partial - 1);
    int ends[2], go[2] = {-1, -1};
    if (const long error = system_call(SYS_pipe2, as_long(ends), O_CLOEXEC); error < 0)
        return "cannot make a pipe to the writer: " + reason(error);
    const int memory = plan.write_memfd();
    if (memory < 0) {
        sys::close(ends[0]);
        sys::close(ends[1]);
        return "cannot hand the plan over to the writer: " + reason(memory);
    }
    // Static, since after a restart this frame is left without giving back what it owns.
    static Program writer;
    writer.holder_argument = -1;
    writer.keep = {memory, ends[1]};
    writer.arguments = {settings().library + "/sckpt-writer",
                        "--plan",
                        std::to_string(memory),
                        "--status",
                        std::to_string(ends[1]),
                        "--source",
                        std::string(10, ' '),
                        "--directory",
                        partial,
                        "--rank",
                        std::to_string(plan.process.rank),
                        "--ranks",
                        std::to_string(plan.process.world_size),
                        "--keep",
                        std::to_string(settings().spec.keep)};
    constexpr int kSource = 6;
    job.in_place = in_place;
    if (!in_place) {
        writer.holder_argument = kSource;
        job.holder = spawn(writer);
        if (job.holder < 0) {
            say(Severity::info, "no snapshot (%s): the rank waits until it has been read", reason(job.holder).c_str());
            job.in_place = true;
        }
    }
    if (job.in_place) {
        writer.arguments[kSource] = std::to_string(sys::gettid());
        writer.holder_argument = -1;
        system_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        if (const long error = system_call(SYS_pipe2, as_long(go), O_CLOEXEC); error < 0) {
            for (const int fd : {memory, ends[0], ends[1]}) sys::close(fd);
            job.holder = 0;
            return "cannot make a pipe to the writer: " + reason(error);
        }
        writer.arguments.insert(writer.arguments.end(), {"--go", std::to_string(go[0])});
        writer.keep.push_back(go[0]);
        job.holder = spawn(writer);
    }
    for (const int fd : {memory, ends[1], go[0]})
        if (fd >= 0) sys::close(fd);
    job.status = out_of_the_way(ends[0]);
    job.status_inode = inode_of(job.status);
    job.go = go[1] >= 0 ? out_of_the_way(go[1]) : -1;
    if (job.holder > 0) return {};
    const std::string sentence = "cannot start " + writer.arguments[0] + ": " + reason(job.holder);
    close_pipes(job);
    job.holder = 0;
    return sentence;
}

void await_pages_read(WriteJob &job) {
    if (!job.holder || !job.in_place) return;
    sys::write(job.go, "g", 1);
    while (!strstr(job.reported, "read\n") && take_report(job)) {
    }
}

WriteState follow_write(WriteJob &job, bool block) {
    if (!job.holder) return WriteState::failed;
    while (inode_of(job.status) == job.status_inode) {
        pollfd ready{job.status, POLLIN, 0};
        if (!block && system_call(SYS_poll, as_long(&ready), 1, 0) <= 0) return WriteState::running;
        if (!take_report(job)) break;
    }
    const int status = reap(job.holder, true);
    close_pipes(job);
    job.holder = 0;
    // By the status as well, since the program may have closed the pipe; and by the reports, since the holder may have
    // been killed.
    const bool is_committer = world::rank() == 0;
    if (status == 0 || strstr(job.reported, is_committer ? "committed\n" : "done\n"))
        return is_committer ? WriteState::committed : WriteState::done;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const bool told = !failure_of(job).empty();
    job.undone = told || code == 1;
    if (!told)
        strcpy(job.reported, code == 127
                                 ? "failed: sckpt-writer cannot be executed: is SCKPT_LIBDIR right on this node?\n"
                             : code == 1 ? "failed: the reason was lost with a descriptor that the program has closed\n"
                                         : "failed: sckpt-writer was killed\n");
    return WriteState::failed;
}

std::string_view failure_of(const WriteJob &job) {
    const char *at = strstr(job.reported, "failed: ");
    if (!at) return {};
    at += strlen("failed: ");
    return {at, strcspn(at, "\n")};
}

void forget_write(WriteJob &job) { job = WriteJob{}; }

}  // namespace sckpt
