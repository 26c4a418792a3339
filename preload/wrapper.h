// Processes of a task that are no rank themselves: shells, time(1), launchers.  Slurm signals them too, and sees the
// task end when its first process ends, so such a process holds a SIGTERM back for as long as a rank below it lives:
// the rank has a checkpoint to take first.
#pragma once

#include <signal.h>

namespace sckpt {

// In the constructor of an active process.  It is a wrapper until MPI_Init makes a rank of it, and its forked children
// (sub-shells) are wrappers, too.
void start_wrapper();

// Is there a process below this one that is a living rank?  Looks in /proc, takes no lock and allocates nothing.
bool rank_below();

// Keeps a SIGTERM until the call that reports the end of the last rank below this process to it, which brings it back;
// false when there is no rank below, and nothing is kept.
bool hold_for_rank_below(const siginfo_t &info);

}  // namespace sckpt
