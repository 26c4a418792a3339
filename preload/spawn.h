// Programs of ours started by a rank: invisible to the application's wait(), its SIGCHLD and its fork handlers.
//
// Between the rank and the program stands a holder: a raw clone of the rank without exit signal.  (The program itself
// cannot be made invisible: an exec gives a process SIGCHLD as its exit signal again.)  The holder starts the program,
// waits for it and ends with its exit status.  Where there is no memory for a clone the program is started directly.
#pragma once

#include <string>
#include <vector>

namespace sckpt {

// A program to run.  Descriptors in `keep` are inherited under the same numbers, as are 0, 1 and 2.
struct Program {
    std::vector<std::string> arguments;  // the first is the path
    std::vector<int> keep;
    int output = -1;            // becomes its standard output when not negative
    // The holder is to be read by the program: its copy of the rank's memory is the snapshot.  The argument of this
    // index, room for ten digits, is replaced by the holder's process id.
    int holder_argument = -1;

    // Filled by spawn().  Here and not in its frame: of that of a snapshot nothing is given back at a restart.
    struct ForKernel {
        std::vector<char *> arguments, environment;  // each ends with a null pointer
        std::vector<int> keep;                       // sorted
    } for_kernel;
};

// Starts it, without LD_PRELOAD.  Returns the holder's process id, or a negative errno.  The exit status is 127 when
// the program could not be executed.  Takes no lock and allocates from our own heap only.
int spawn(Program &program);

// Waits for a process of spawn().  Returns its wait status, or -1; with `block` false also -1 when it still runs.
int reap(int process, bool block);

// Runs a program to its end and returns what it wrote to its standard output (at most 64 KiB); *status is the wait
// status, -1 when it could not be started.  It is killed after `timeout_ms`.
std::string run_for_output(const Program &program, int timeout_ms, int *status);

}  // namespace sckpt
