#include "preload/snapshot.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/settings.h"
#include "preload/spawn.h"

namespace sckpt {
namespace {

// In the snapshot process: nothing but system calls.  It ends when the last writer of the status pipe is gone, which
// the pipe itself reports, so that it cannot outlive the writer in whatever way that ends.
[[noreturn]] void hold_still(int status) {
    const unsigned long all = ~0ul;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), 0, 8);
    // The application's descriptors: a pipe must not stay open because of us.
    system_call(SYS_dup2, status, 0);
    system_call(SYS_close_range, 1, ~0u, 0);
    system_call(SYS_prctl, PR_SET_NAME, as_long("sckpt-snapshot"));
    // Yama lets only descendants be read otherwise.
    system_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    pollfd hang_up{0, 0, 0};
    while (!(hang_up.revents & (POLLHUP | POLLERR | POLLNVAL))) system_call(SYS_ppoll, as_long(&hang_up), 1, 0, 0, 8);
    for (;;) system_call(SYS_exit_group, 0);
}

// A copy of the process without exit signal: the application's wait() does not see it.
int clone_snapshot(int status) {
    const long pid = system_call(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0) hold_still(status);
    return static_cast<int>(pid);
}

}  // namespace

std::string start_write(WriteJob &job, const Plan &plan, const std::string &partial, bool synchronous) {
    job.reported.clear();
    int ends[2];
    if (const long error = system_call(SYS_pipe2, as_long(ends), O_CLOEXEC); error < 0)
        return "cannot make a pipe: error " + std::to_string(-error);
    const int memory = plan.write_memfd();
    if (memory < 0) {
        sys::close(ends[0]);
        sys::close(ends[1]);
        return "cannot hand the plan over: error " + std::to_string(-memory);
    }
    job.snapshot = synchronous ? 0 : clone_snapshot(ends[0]);
    if (job.snapshot < 0) {
        say(Severity::info, "no memory for a snapshot: the rank waits for the writer");
        job.snapshot = 0;
    }
    if (job.snapshot == 0) system_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    const long source = job.snapshot ? job.snapshot : sys::getpid();
    Program writer;
    writer.arguments = {settings().library + "/sckpt-writer",
                        "--plan", std::to_string(memory),
                        "--status", std::to_string(ends[1]),
                        "--source", std::to_string(source),
                        "--directory", partial,
                        "--rank", std::to_string(plan.process.rank),
                        "--ranks", std::to_string(plan.process.world_size),
                        "--keep", std::to_string(settings().spec.keep)};
    writer.keep = {memory, ends[1]};
    job.writer = spawn(writer);
    sys::close(memory);
    sys::close(ends[1]);
    job.status = ends[0];
    if (job.writer > 0) return {};
    const std::string sentence = "cannot start " + writer.arguments[0] + ": error " + std::to_string(-job.writer);
    job.writer = 0;
    sys::close(job.status);
    if (job.snapshot) reap(job.snapshot, true);
    job = {};
    return sentence;
}

WriteState follow_write(WriteJob &job, bool block) {
    if (!job.writer) return WriteState::failed;
    for (;;) {
        pollfd ready{job.status, POLLIN, 0};
        if (!block && system_call(SYS_poll, as_long(&ready), 1, 0) <= 0) return WriteState::running;
        char part[512];
        const long got = sys::read(job.status, part, sizeof part);
        if (got == -EINTR) continue;
        if (got <= 0) break;
        job.reported.append(part, static_cast<size_t>(got));
    }
    reap(job.writer, true);
    if (job.snapshot) reap(job.snapshot, true);
    sys::close(job.status);
    job.writer = job.snapshot = 0;
    job.status = -1;
    if (job.reported.find("committed\n") != std::string::npos) return WriteState::committed;
    if (job.reported.find("failed") != std::string::npos || job.reported.find("done\n") == std::string::npos)
        return WriteState::failed;
    return WriteState::done;
}

std::string failure_of(const WriteJob &job) {
    const size_t at = job.reported.find("failed: ");
    if (at == std::string::npos) return "the writer ended unexpectedly";
    return job.reported.substr(at + 8, job.reported.find('\n', at) - at - 8);
}

}  // namespace sckpt
