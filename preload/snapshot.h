// WRITE: a snapshot process holds the memory still by copy-on-write while sckpt-writer, a program of its own, reads it
// and writes; the rank goes on at once.  Or, synchronously, the parked rank itself is read.
#pragma once

#include <limits.h>

#include <string>
#include <string_view>

#include "preload/plan.h"

namespace sckpt {

// No allocation: the memory of a rank that is read in place must not change meanwhile.
struct WriteJob {
    int holder = 0;           // process that holds the snapshot and waits for the writer (spawn.h); 0 when there is none
    bool in_place = false;    // the writer reads the rank itself
    int status = -1;          // read end of the pipe that the writer reports on
    std::uint64_t status_inode = 0;  // of that pipe: a program that closes all descriptors closes it, and may reuse the number
    int go = -1;              // write end of the pipe that the writer waits on when it reads the rank itself
    char reported[2048] = ""; // lines so far
    bool undone = false;      // the writer has failed and has itself removed what there was of the generation
    char partial[PATH_MAX] = "";  // directory of the generation, while it is being written
};

// Starts the writer for `partial` (<incarnation>/<generation>.partial).  With `in_place`, and where there is no memory
// for a snapshot, the writer reads the rank itself: the caller then stays parked, without touching its memory, until
// await_pages_read() has returned.  The error is a sentence; nothing is left behind then.
std::string start_write(WriteJob &job, const Plan &plan, const std::string &partial, bool in_place);

// Returns when the memory of this rank is needed no more: at once where there is a snapshot.
void await_pages_read(WriteJob &job);

enum class WriteState { running, committed, done, failed };
// Looks at the reports; `block` waits until the writer has ended.  Reaps the holder.  done: of a rank other than 0.
WriteState follow_write(WriteJob &job, bool block);
// Why it failed.
std::string_view failure_of(const WriteJob &job);

// In a restored process: whatever the image says of a writer is of the past.
void forget_write(WriteJob &job);

}  // namespace sckpt
