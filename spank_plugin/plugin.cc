// spank_checkpoint.so, the whole plugin at a glance: which callback of SPANK does what in which program.
//
//   srun, sbatch, salloc   init: options; init_post_opt: what the user asked for is checked
//   srun                   local_user_init: directory of the step, restore or not; handed over by environment
//   slurmstepd             init (root): a stale socket goes; task_init (user): the environment of the task
//
// No exception may reach Slurm's C frames.  A failure of ours stops srun, sbatch and salloc, where the user sees it and
// nothing runs yet; in slurmstepd it never fails a task.
#include <exception>

#include "spank_plugin/host.h"

extern "C" {
#define SCKPT_EXPORT [[gnu::visibility("default")]]
// const has internal linkage in C++ unless it was declared extern before.
SCKPT_EXPORT extern const char plugin_name[];
SCKPT_EXPORT extern const char plugin_type[];
SCKPT_EXPORT extern const unsigned int plugin_version;
const char plugin_name[] = "sckpt: transparent checkpoints";
const char plugin_type[] = "spank";
const unsigned int plugin_version = SLURM_VERSION_NUMBER;
}

namespace {

using namespace sckpt::plugin;

template <typename Callback>
int guarded(const char *where, Callback callback) noexcept {
    try {
        return callback();
    } catch (const std::exception &problem) {
        slurm_error("sckpt: internal error in %s: %s", where, problem.what());
    } catch (...) {
        slurm_error("sckpt: internal error in %s", where);
    }
    return spank_context() == S_CTX_REMOTE ? ESPANK_SUCCESS : ESPANK_ERROR;
}

int begin(spank_t spank) {
    switch (spank_context()) {
        case S_CTX_LOCAL:
        case S_CTX_ALLOCATOR:
            submit_begin();
            return register_options(spank);
        case S_CTX_REMOTE:
            step_begin(spank);
            return register_options(spank);
        default:
            return ESPANK_SUCCESS;
    }
}

int options_read(int count, char **words) {
    const auto context = spank_context();
    return context == S_CTX_LOCAL || context == S_CTX_ALLOCATOR ? submit_check(count, words) : ESPANK_SUCCESS;
}

}  // namespace

extern "C" {

SCKPT_EXPORT int slurm_spank_init(spank_t spank, int, char **) {
    return guarded("init", [&] { return begin(spank); });
}

SCKPT_EXPORT int slurm_spank_init_post_opt(spank_t, int count, char **words) {
    return guarded("init_post_opt", [&] { return options_read(count, words); });
}

SCKPT_EXPORT int slurm_spank_local_user_init(spank_t spank, int count, char **words) {
    return guarded("local_user_init", [&] { return launch(spank, count, words); });
}

SCKPT_EXPORT int slurm_spank_task_init(spank_t spank, int count, char **words) {
    return guarded("task_init", [&] { return task_begin(spank, count, words); });
}

}  // extern "C"
