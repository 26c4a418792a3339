// Is this process the one that was recorded?  Wrappers (bash, numactl, ...) of the same task are not.
#pragma once

#include <expected>
#include <string>

#include "preload/restore/source.h"

namespace sckpt::restore {

struct Program {
    std::string executable;  // absolute path
    std::string arguments;   // argv, each with its NUL
};

/// The program that process `pid` runs, from /proc.
std::expected<Program, std::string> program_of(int pid);

/// The same executable and the same arguments.
bool is_recorded(const Source &source, const Program &program);

}  // namespace sckpt::restore
