// What the launcher has told this process (env.h), read once at start and again from the new environment at a restart.
#pragma once

#include <string>
#include <string_view>

#include "preload/base/spec.h"

namespace sckpt {

struct Settings {
    bool active = false;        // SCKPT_DIR is set and everything else is in order
    std::string directory;      // of the step
    int incarnation = 0;
    base::Spec spec;
    std::string library;        // directory of our programs
    std::string job;            // "<jobid>.<stepid>", empty outside Slurm
    std::string job_id;         // of Slurm, empty outside
    std::string cluster, user;
};

// Reads the settings from NAME=value strings.  A value that cannot be understood switches sckpt off with a warning.
Settings read_settings(char *const *environment);

// Those of this process.
Settings &settings();

// r<incarnation> inside the step's directory.
std::string incarnation_directory();
// Makes it, where it is not there yet, below the step's.  Allocates nothing.
void make_incarnation_directory(const char *incarnation);

// Appends one line to <step>/log: time, incarnation, `text`.
// Allocates nothing: usable in a handler.  Too long a text is cut off.
void log_event(std::string_view generation, std::string_view text);

}  // namespace sckpt
