// STOP: every other thread parks, in our signal handler when it was in application code, on its way out of a wrapper
// when it was in one.  A parked thread waits in the kernel with its context saved; a restart re-creates it from there.
#pragma once

#include <signal.h>

#include "preload/plan.h"

namespace sckpt {

// Parks all threads but the caller.  Returns null, or a sentence when one could not be parked; release_threads() is
// then due all the same.
const char *park_threads();
void release_threads();

void record_threads(Plan &plan);

// Restart: registers the calling thread with the kernel (rseq, robust list, address to clear), keeping the id that
// the program knows.
void adopt_restored_thread();
// The calling thread has the name of the process so far, which threads that the lower half makes inherit, as they did
// at first: gives it its own.
void name_restored_thread();
// Re-creates all other threads of the application where they parked; returns when each of them runs again (and is
// held at the wrappers by kGated).
void recreate_threads();
// The last act of the restart of a process whose main thread had ended: the kernel's first thread, kept so far, ends
// too.
void end_main_thread_again();

// MPI has been initialised: threads that were there before have not yet made the lower libc's per-thread start.
// Makes them do it, in the handler of the park signal; returns when all have.
void start_lower_in_threads();
// In that handler.
void start_lower_here();

}  // namespace sckpt
