// WRITE: a snapshot process holds the memory still by copy-on-write while sckpt-writer, a program of its own, reads it
// and writes; the rank goes on at once.  Or, synchronously, the parked rank itself is read.
#pragma once

#include <string>

#include "preload/plan.h"

namespace sckpt {

struct WriteJob {
    int writer = 0;         // process ids, 0 when there is none
    int snapshot = 0;
    int status = -1;        // read end of the pipe that the writer reports on
    std::string reported;   // lines so far
    std::string generation; // as in directory names
};

// Starts the writer for `partial` (<incarnation>/<generation>.partial).  `synchronous`: the rank stays parked until
// finish_write().  The error is a sentence; nothing is left behind then.
std::string start_write(WriteJob &job, const Plan &plan, const std::string &partial, bool synchronous);

enum class WriteState { running, committed, done, failed };
// Looks at the reports; `block` waits until the writer has ended.  Reaps both processes.  done: of a rank other than 0.
WriteState follow_write(WriteJob &job, bool block);
// What the writer said when it failed.
std::string failure_of(const WriteJob &job);

}  // namespace sckpt
