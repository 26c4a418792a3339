// Runs a program of ours from srun and collects what it says.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace sckpt::plugin {

struct Finished {
    int exit_code = 0;          // -1: ended by a signal, named in error
    std::string output, error;  // the first 64 KiB of each
};

// Runs words[0] (a path) with the caller's environment less LD_PRELOAD, default signals, standard input from /dev/null.
// Waits for its end.  Error: it could not be started, one sentence.
std::expected<Finished, std::string> run_program(const std::vector<std::string> &words);

}  // namespace sckpt::plugin
