// sckpt-restore: becomes the rank that a checkpoint holds.  Exec'd by the interceptor in place of the application,
// with the environment of the new step (env.h).  Exit status 3: refused, with a sentence; nothing was changed.
//
// sckpt-restore --match: is the parent process the recorded program?  0 yes, 1 another one, 2 error.
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "preload/restore/checks.h"
#include "preload/restore/files_check.h"
#include "preload/restore/launch.h"
#include "preload/restore/limits.h"
#include "preload/restore/maps.h"
#include "preload/restore/match.h"
#include "preload/restore/plan.h"
#include "preload/restore/request.h"
#include "preload/restore/source.h"
#include "preload/restore/text.h"
#include "preload/restore/vdso.h"

using namespace sckpt;
using namespace sckpt::restore;

namespace {

constexpr int kExitMatch = 0, kExitOther = 1, kExitMatchError = 2, kExitRefused = 3;

int error(const std::string &sentence, int status) {
    const std::string line = "sckpt-restore: error: " + sentence + "\n";
    std::fputs(line.c_str(), stderr);
    return status;
}

int refuse(const std::string &sentence) { return error(sentence, kExitRefused); }

// The other ranks of the step would wait in MPI_Init for this one until the launcher loses patience.
void end_other_ranks() {
    const char *job = getenv("SLURM_JOB_ID"), *step = getenv("SLURM_STEP_ID"), *tasks = getenv("SLURM_STEP_NUM_TASKS");
    if (!job || !step || !tasks || std::string_view(tasks) == "1") return;
    const std::string target = text(job, ".", step);
    const pid_t child = fork();
    if (child == 0) {
        execlp("scancel", "scancel", "--signal=KILL", target.c_str(), nullptr);
        _exit(127);
    }
    if (child > 0) waitpid(child, nullptr, 0);
}

int match() {
    const auto request = read_request(getenv);
    if (!request) return error(request.error(), kExitMatchError);
    const auto source = open_source(request->generation, request->rank);
    if (!source) return error(source.error(), kExitMatchError);
    const auto program = program_of(getppid());
    if (!program) return error(program.error(), kExitMatchError);
    return is_recorded(*source, *program) ? kExitMatch : kExitOther;
}

Problem check_machine(const Source &source, const Plan &plan) {
    if (auto problem = check_page_size(source.process.page_size, static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)))) {
        return problem;
    }
    const auto flags = read_cpu_flags();
    if (!flags) return flags.error();
    if (auto problem = check_cpu(source.cpu_flags, *flags)) return problem;
    return check_limits(source, plan, read_limits());
}

struct Restoration {
    Plan plan;
    std::vector<VdsoMove> moves;
};

// The present vdso takes the place of the recorded one where it is the same; else the recorded one comes back, patched.
std::expected<Restoration, std::string> plan_restore(const Source &source, const std::vector<VdsoPiece> &vdso) {
    const auto contradiction = [&](const std::string &error) {
        return std::unexpected(text(source.rank_file, " contradicts itself: ", error));
    };
    auto plan = make_plan(source);
    if (!plan) return contradiction(plan.error());
    if (plan->vdso.empty()) return Restoration{std::move(*plan), {}};
    if (source.vdso_hash == content_hash(vdso_code(vdso)))
        if (auto moves = match_vdso(plan->vdso, vdso)) return Restoration{std::move(*plan), std::move(*moves)};
    const auto code = recorded_vdso(source);
    if (!code) return std::unexpected(code.error());
    const auto patches = patch_vdso(*code);
    if (!patches) return std::unexpected(patches.error() + ": restore on a node with the same kernel");
    plan = make_plan(source, *patches);
    if (!plan) return contradiction(plan.error());
    if (source.process.rank == 0)
        std::fputs("sckpt-restore: this kernel's vdso is not the recorded one: clocks are read by system calls\n",
                   stderr);
    return Restoration{std::move(*plan), {}};
}

int restore_rank() {
    timespec started{};
    clock_gettime(CLOCK_REALTIME, &started);

    const auto request = read_request(getenv);
    if (!request) return refuse(request.error());
    const auto source = verify_source(request->generation, request->rank, request->world_size);
    if (!source) return refuse(source.error());
    if (auto problem = check_world(source->process, request->rank, request->world_size)) return refuse(*problem);

    const auto maps = read_maps();
    if (!maps) return refuse(maps.error());
    const auto plan = plan_restore(*source, vdso_pieces(*maps));
    if (!plan) return refuse(plan.error());
    if (auto problem = check_machine(*source, plan->plan)) return refuse(*problem);
    if (auto problem = check_mapped_files(*source)) return refuse(*problem);
    if (auto problem = check_open_files(*source)) return refuse(*problem);
    for (const std::string &changed : changed_files(*source)) {
        if (!request->accept_changed)
            return refuse(changed + " (changed=accept in --checkpoint restores all the same)");
        std::fputs(text("sckpt-restore: ", changed, "\n").c_str(), stderr);
    }

    return refuse(
        launch(*source, plan->plan, plan->moves, *request, environ, started.tv_sec * 1'000'000'000 + started.tv_nsec));
}

}  // namespace

int main(int count, char **arguments) {
    if (count == 2 && std::string_view(arguments[1]) == "--match") return match();
    if (count > 1) return refuse("usage: sckpt-restore [--match]; the checkpoint is named by SCKPT_RESTART");
    const int status = restore_rank();
    end_other_ranks();
    return status;
}
