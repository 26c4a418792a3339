// The decision whether a step starts from the beginning or from a generation.  Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <variant>

#include "preload/base/spec.h"

namespace sckpt::plugin {

// What `sckpt restart-point` found in the directory of this step.
struct Found {
    std::string generation;  // absolute path
};
struct NoneCommitted {};
struct NoneUsable {
    std::string reason;  // its sentence
};
struct ToolBroken {
    std::string reason;  // it could not be run or was killed: nothing is known
};
using RestartPoint = std::variant<Found, NoneCommitted, NoneUsable, ToolBroken>;

// Reads the answer of `sckpt restart-point`: exit code (or -1 with a reason when it did not exit), standard output,
// standard error.
RestartPoint read_restart_point(int exit_code, const std::string &output, const std::string &error);

struct RestartInput {
    unsigned incarnation = 0;         // SLURM_RESTART_COUNT
    std::optional<RestartPoint> own;  // asked for when incarnation > 0
    std::optional<std::expected<std::string, std::string>>
        named;  // --restart-dir: checked generation, or what is wrong with it
    base::Fallback fallback = base::Fallback::kRefuse;
};

struct RestartDecision {
    std::string generation;  // empty: from the beginning
    std::string notice;      // one line for the user; empty: nothing to say
};

// A generation of the job itself goes before one named by --restart-dir, since it continues that one.  Error: the
// sentence with which the step must not start.
std::expected<RestartDecision, std::string> decide_restart(const RestartInput &input);

}  // namespace sckpt::plugin
