// WRITE: a snapshot process holds the memory still by copy-on-write while sckpt-writer, a program of its own, reads it
// and writes; the rank goes on at once.  Or, synchronously, the parked rank itself is read.
#pragma once

#include <string>

#include "preload/plan.h"

namespace sckpt {

// No allocation: the memory of a rank that is read in place must not change meanwhile.
struct WriteJob {
    int writer = 0;           // process ids, 0 when there is none
    int snapshot = 0;
    int status = -1;          // read end of the pipe that the writer reports on
    std::uint64_t status_inode = 0;  // of that pipe: a program that closes all descriptors closes it, and may reuse the number
    int go = -1;              // write end of the pipe that the writer waits on when it reads the rank itself
    char reported[2048] = ""; // lines so far
    char generation[32] = ""; // as in directory names
};

// Starts the writer for `partial` (<incarnation>/<generation>.partial).  With `in_place`, and where there is no memory
// for a snapshot, the writer reads the rank itself: the caller then stays parked, without touching its memory, until
// follow_write() has returned (job.snapshot is 0).  The error is a sentence; nothing is left behind then.
std::string start_write(WriteJob &job, const Plan &plan, const std::string &partial, bool in_place);

enum class WriteState { running, committed, done, failed };
// Looks at the reports; `block` waits until the writer has ended.  Reaps both processes.  done: of a rank other than 0.
WriteState follow_write(WriteJob &job, bool block);
// What the writer said when it failed.
std::string failure_of(const WriteJob &job);

// In a restored process: whatever the image says of a writer is of the past.
void forget_write(WriteJob &job);

}  // namespace sckpt
