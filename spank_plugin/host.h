// The program that has loaded the plugin (srun, sbatch, salloc or slurmstepd): SPANK's interface, and the parts of
// Slurm's own configuration that it has in memory.
#pragma once

#include <slurm/slurm.h>

#include <cstdlib>
#include <expected>
#include <optional>
#include <string>

#include "spank_plugin/settings.h"

extern "C" {
#include <slurm/spank.h>  // declares the callbacks without a linkage of their own
}

// Slurm's parsed configuration, a global of libslurmfull since 20.11, of the public type slurm_conf_t; a plugin is only
// loaded by the Slurm whose headers it was built with (major.minor), so the layout is right.  Weak: absent, we do
// without.
extern "C" [[gnu::weak]] slurm_conf_t slurm_conf;

namespace sckpt::plugin {

inline const slurm_conf_t *slurm_configuration() { return &slurm_conf; }

inline std::optional<std::string> process_environment(const char *name) {
    const char *value = getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// An error in Slurm's own style ("srun: error: sckpt: ..."), and a line without its prefix.
inline void tell_error(const std::string &sentence) { slurm_error("sckpt: %s", sentence.c_str()); }
inline void tell(const std::string &line) { slurm_spank_log("sckpt: %s", line.c_str()); }

template <typename Value>
std::optional<Value> item(spank_t spank, spank_item which) {
    Value value{};
    return spank_get_item(spank, which, &value) == ESPANK_SUCCESS ? std::optional(value) : std::nullopt;
}

// The administrator's arguments.  What is wrong with them is told only to who asks for checkpoints.
std::expected<Arguments, std::string> plugin_arguments(int count, char **words);

// Options of srun, sbatch and salloc.  Registered in every context: Slurm hands options to slurmstepd too.
int register_options(spank_t spank);
const Request &given_options();

// sbatch, salloc and srun, before anything is submitted: a mistake that can be seen there is told and ends the command.
int submit_begin();
int submit_check(int count, char **words);

// srun, when it has a step and before it launches it.
int launch(spank_t spank, int count, char **words);

// slurmstepd: as root before the step is set up, and as the user in each task before it executes.
int step_begin(spank_t spank);
int task_begin(spank_t spank, int count, char **words);

}  // namespace sckpt::plugin
