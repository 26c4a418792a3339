// What the user asked for, from options and environment, and what the administrator configured.  Pure: no Slurm, no
// file system; the environment is passed in.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "preload/base/spec.h"

namespace sckpt::plugin {

// The value of an environment variable, nullopt when it is not set.
using Lookup = std::function<std::optional<std::string>(const char *)>;

enum class Program { kSrun, kSbatch, kSalloc };

// Arguments behind the plugin's path in plugstack.conf.
struct Arguments {
    std::string library;  // libdir=: directory of libsckpt.so and its programs
    std::string
        default_directory;  // default_dir=: checkpoint directory of who names none; empty: the working directory
};

// Error: the argument that is not understood.  own_directory (where the plugin itself lies) is the default of libdir=.
std::expected<Arguments, std::string> parse_arguments(std::span<const char *const> words, std::string own_directory);

// Values of the options as given; nullopt: not given.
struct Request {
    std::optional<std::string> checkpoint, directory, restart;
};

// A request that is to be fulfilled.
struct Settings {
    base::Spec spec;
    std::string directory;  // of checkpoints; may be relative to the working directory of srun; empty: not named
    std::string restart;    // generation or step directory to restore from; empty: none named
};

// Fills what no option gave from the environment: SLURM_CHECKPOINT, SLURM_CHECKPOINT_DIR and SLURM_RESTART_DIR in srun,
// the same with SBATCH_ or SALLOC_ in sbatch and salloc.  Empty variables count as unset.
Request with_defaults(Request options, Program program, const Lookup &environment);

// nullopt: no checkpoints were asked for (or `off`).  --restart-dir alone implies --checkpoint=on.  Error: one
// sentence.
std::expected<std::optional<Settings>, std::string> settle(const Request &request);

// Variables that sbatch and salloc must set, so that srun inside the job finds the defaults that came from SBATCH_* or
// SALLOC_* variables (given options reach it through Slurm itself).
std::vector<std::pair<std::string, std::string>> inherited_defaults(Program program, const Request &options,
                                                                    const Lookup &environment);

// Path and name without a name: joined to working_directory when relative, without "." and "..", no slash at the end.
std::string absolute_path(const std::string &path, const std::string &working_directory);

}  // namespace sckpt::plugin
