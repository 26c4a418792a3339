// Record and restore of what the kernel keeps for the process, one file per kind of resource with both side by side.
//
// record_*: all threads parked, nothing allocated outside our own heap, no lock of the base libc taken.  Keeps what is
// needed in the upper half (its memory is in the image) and adds the rows that people read to the plan.  A resource
// that cannot be restored is named by the blocker_* function, as a sentence, and the checkpoint is declined.
// restore_*: in the restored process, before any other thread exists; same restrictions; the error is a sentence, the
// rank then ends and the checkpoint stays as it is.
#pragma once

#include <signal.h>

#include <expected>
#include <string>

#include "preload/plan.h"

namespace sckpt {

using Restored = std::expected<void, std::string>;

// files.cc: descriptors of the application with flags, offset, size
// With a sentence when the content of one could not be copied: then there is no checkpoint.
// With `copy_written`, files that are open for writing are kept in the image, see unmap_written_files().
const char *record_files(Plan &plan, bool copy_written);
const char *blocker_files();
Restored restore_files();
void unmap_written_files();  // once the image is durable, or given up
void restore_owners();  // once all threads exist again: who gets SIGIO

// signals.cc: actions, and the signals that we use ourselves
void record_signals(Plan &plan);
Restored restore_signals();
void restore_recorders_signals();  // once this thread is the one that took the checkpoint

// timers.cc: setitimer, timer_create; frozen at the cut so that a restored one has as much left as it had
void record_timers(Plan &plan);
// In a restored process, when a signal of a timer is delivered: what timer_getoverrun(2) is to say from now on.
void timer_expired(const siginfo_t &info);
Restored restore_timers();        // interval timers
Restored restore_posix_timers();  // once all threads exist again: a timer can belong to one, by its kernel id

// process.cc: working directory, umask, resource limits, name
void record_process(Plan &plan);
const char *blocker_process();

// children.cc: `may_pass` becomes true when the child is likely to end soon, so that the request is to be made again
const char *blocker_children(bool &may_pass);
Restored restore_process();

// identity.cc: the process id that the program knows, and the clock that must not run backwards
void record_identity(Plan &plan);
Restored restore_identity();

// cpu_times.cc: what the process and its children have used; by record_identity() and restore_identity()
void record_cpu_times();
void restore_cpu_times();

}  // namespace sckpt
