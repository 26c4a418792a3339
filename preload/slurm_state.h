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

// `text`: one line of NAME=VALUE pairs; `now`: the local time as "2026-11-28T03:00:00", for the end time.
Fate fate_of(std::string_view text, std::string_view now);

const char *name_of(Fate fate);

}  // namespace sckpt
