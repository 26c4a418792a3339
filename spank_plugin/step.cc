// In slurmstepd.  step_begin runs as root and touches nothing but the socket of Slurm's own; task_begin runs in the
// forked task, with the user's identity, just before the program is executed.
#include <unistd.h>

#include <vector>

#include "preload/base/executable.h"
#include "preload/base/unserved.h"
#include "preload/env.h"
#include "spank_plugin/host.h"
#include "spank_plugin/pmix_socket.h"
#include "spank_plugin/task.h"

namespace sckpt::plugin {
namespace {

// Ids from here on are no steps of tasks: the batch script, the interactive shell of salloc, the external container.
constexpr std::uint32_t kFirstSpecialStep = 0xfffffff0;
static_assert(SLURM_BATCH_SCRIPT >= kFirstSpecialStep && SLURM_INTERACTIVE_STEP >= kFirstSpecialStep &&
              SLURM_EXTERN_CONT >= kFirstSpecialStep);

std::optional<std::string> task_variable(spank_t spank, const char *name) {
    // Largest value looked at.  A longer one is taken as not set; ours are bounded far below.
    constexpr std::size_t kLongest = 128 * 1024;
    std::vector<char> buffer(kLongest);
    if (spank_getenv(spank, name, buffer.data(), static_cast<int>(buffer.size())) != ESPANK_SUCCESS)
        return std::nullopt;
    return std::string(buffer.data());
}

void warn_if_not_intercepted(spank_t spank) {
    int count = 0;
    char **words = nullptr;
    if (item<std::uint32_t>(spank, S_TASK_GLOBAL_ID).value_or(1) != 0) return;
    if (spank_get_item(spank, S_JOB_ARGV, &count, &words) != ESPANK_SUCCESS || count < 1 || words == nullptr) return;
    char file[PATH_MAX];
    if (!base::find_executable(words[0], task_variable(spank, "PATH").value_or("").c_str(), file)) return;
    const char *reason = base::why_not_intercepted(file);
    if (reason == nullptr) return;
    const std::string sentence = std::string(file) + " " + reason + ": it runs without checkpoints";
    const std::string incarnation = task_variable(spank, env::kDirectory).value_or("") + "/r" +
                                    task_variable(spank, env::kIncarnation).value_or("0");
    if (base::note_unserved(incarnation.c_str(), 0, sentence.c_str())) tell(sentence);
}

}  // namespace

int step_begin(spank_t spank) {
    const auto job = item<std::uint32_t>(spank, S_JOB_ID), step = item<std::uint32_t>(spank, S_JOB_STEPID);
    if (!job || !step || *step >= kFirstSpecialStep) return ESPANK_SUCCESS;
    const std::string spool = spool_directory_of_step(*job, *step);
    if (spool.empty()) return ESPANK_SUCCESS;
    const auto found = remove_stale_pmix_socket(spool, *job, *step);
    if (!found) slurm_error("sckpt: %s", found.error().c_str());
    if (found && *found == SocketFound::kRemoved) {
        slurm_info("sckpt: removed the PMIx socket that a crash left of step %u.%u", *job, *step);
    }
    return ESPANK_SUCCESS;
}

int task_begin(spank_t spank, int count, char **words) {
    const auto job = item<std::uint32_t>(spank, S_JOB_ID), step = item<std::uint32_t>(spank, S_JOB_STEPID);
    if (!job || !step) return ESPANK_SUCCESS;
    const bool special = *step >= kFirstSpecialStep;
    const auto variables = [spank](const char *name) { return task_variable(spank, name); };
    // srun has said why.  We are the forked task: ending it here is what slurmstepd does when a task cannot be
    // executed.
    if (!special && variables(kRefused)) _exit(1);
    const auto arguments = plugin_arguments(count, words);
    if (!arguments) return ESPANK_SUCCESS;
    const std::string name = std::to_string(*job) + "." + std::to_string(*step);
    bool intercepted = false;
    for (const auto &[variable, value] : task_changes(variables, arguments->library, name)) {
        const auto code =
            value ? spank_setenv(spank, variable.c_str(), value->c_str(), 1) : spank_unsetenv(spank, variable.c_str());
        if (code != ESPANK_SUCCESS)
            slurm_error("sckpt: %s cannot be changed: %s", variable.c_str(), spank_strerror(code));
        intercepted = intercepted || (variable == env::kLibrary && value);
    }
    if (intercepted && !special) warn_if_not_intercepted(spank);
    return ESPANK_SUCCESS;
}

}  // namespace sckpt::plugin
