// What a task is given: how the settings travel from srun to slurmstepd, and the environment made of them.  Pure.
//
// srun puts each variable of preload/env.h into its own environment with SLURM_ in front; such names reach the tasks
// whatever --export says (srun(1)).  The plugin in slurmstepd turns them into the real ones for the tasks, adds the
// interceptor and removes the travelling names, so that an srun started inside a task does not inherit them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spank_plugin/settings.h"

namespace sckpt::plugin {

// In front of a name of preload/env.h while it travels.
inline constexpr char kTravelPrefix[] = "SLURM_";

// Set by srun when it decided that the step must not start: a plugin that is only `optional` cannot stop srun, so the
// tasks end before they execute anything.
inline constexpr char kRefused[] = "SLURM_SCKPT_REFUSED";

// A change of an environment: value, or nullopt to remove the name.
struct Change {
    std::string name;
    std::optional<std::string> value;

    bool operator==(const Change &) const = default;
};

// What srun hands over for one step.
struct StepSettings {
    std::string directory;     // absolute directory of the step
    unsigned incarnation = 0;  // SLURM_RESTART_COUNT
    base::Spec spec;
    std::string generation;  // to restore from; empty: from the beginning
    std::string step;        // "job.step"
};

// srun: changes that make settings travel, and changes that remove whatever travelled here by accident.
std::vector<Change> travelling(const StepSettings &settings);
std::vector<Change> nothing_travelling();

// slurmstepd: changes to the environment of a task of this step ("job.step").  A step that did not ask loses variables
// that it inherited from a rank that started it, the interceptor in LD_PRELOAD included.
std::vector<Change> task_changes(const Lookup &environment, const std::string &library_directory,
                                 const std::string &step);

// LD_PRELOAD with library at its end, once; and without it.  Elements are separated by colons or blanks (ld.so(8)).
std::string with_library(const std::string &preload, const std::string &library);
std::string without_library(const std::string &preload, std::string_view library_name);

}  // namespace sckpt::plugin
