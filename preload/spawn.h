// Programs of ours started by a rank: invisible to the application's wait() and its fork handlers.
#pragma once

#include <string>
#include <vector>

namespace sckpt {

// A program to run.  Descriptors in `keep` are inherited under the same numbers, as are 0, 1 and 2.
struct Program {
    std::vector<std::string> arguments;  // the first is the path
    std::vector<int> keep;
    int output = -1;  // becomes its standard output when not negative
};

// Starts it by a clone that shares memory until the exec, without exit signal and without LD_PRELOAD.  Returns the
// process id, or a negative errno, that of the exec too.  Takes no lock and allocates from our own heap only.
int spawn(const Program &program);

// Waits for a process of spawn() or of a raw clone.  Returns its wait status, or -1; with `block` false also -1 when
// it still runs.
int reap(int process, bool block);

// Runs a program to its end and returns what it wrote to its standard output (at most 64 KiB); *status is the wait
// status, -1 when it could not be started.  It is killed after `timeout_ms`.
std::string run_for_output(const Program &program, int timeout_ms, int *status);

}  // namespace sckpt
