// What Slurm says about the job, from `scontrol --oneliner show job`: why a SIGTERM came.  Pure.
#pragma once

#include <string_view>

namespace sckpt {

enum class Fate {
    running,    // nothing is known to happen to the job: somebody else sent the signal
    preempted,  // a job of higher priority gets the nodes
    requeued,   // scontrol requeue, or a node has failed
    cancelled,
    time_limit,
    unknown,    // Slurm could not be asked
};

// `text`: one line of NAME=VALUE pairs; `restarts`: SLURM_RESTART_COUNT of this run.
//
// A job that is being ended shows as COMPLETING, whatever the reason; what tells them apart: a requeue has already
// counted up Restarts, a preemption has set PreemptTime, at the time limit RunTime has reached TimeLimit.
Fate fate_of(std::string_view text, int restarts);

const char *name_of(Fate fate);

}  // namespace sckpt
