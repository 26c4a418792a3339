// SIGTERM: Slurm sends it for preemption, time limit, scancel and requeue alike, several times and in any order.  It is
// held back while rank 0 asks Slurm why and the checkpoint is taken; then the job is requeued, or the signal takes its
// native course in the application.
#pragma once

#include <signal.h>

#include <cstdint>

namespace sckpt {

// In the handler.  True when a checkpoint is to be tried first; false when the signal has been dealt with.
bool terminate_requested(siginfo_t *info, void *context);

// For Hooks::unwanted in rank 0: a sentence when the pending SIGTERM is none to take a checkpoint for, else null.
const char *unwanted_termination();
// The same for a SIGTERM that another task may have.
const char *unwanted_termination_of_any();

// Before the ranks agree on the commit: a SIGTERM from here on may be that of the requeue, which can come before
// end_after_commit() has returned.
void note_terminations();

// After the commit of a checkpoint that a SIGTERM caused; collective.  True when the job comes back: asked for the
// requeue, or about to be requeued by Slurm.
bool end_after_commit();
// Waits for Slurm to end the job.
[[noreturn]] void hold_until_the_end();

// A checkpoint has been taken or has failed.  A SIGTERM that is still held back takes its native course now.
void after_checkpoint();

// An epoch was declined.  With `native` a SIGTERM that is held back takes its native course; otherwise what stands in
// the way may go away in the time that Slurm leaves: asked for again a second later.
void after_declined(bool native);
// This process turns out to be none to be checkpointed: a SIGTERM that is held back waits for the ranks that it has
// started, or takes its native course.
void leave_termination_to_ranks_below();
// That second is over: from a timer's handler.
void retry_termination();

// From a timer's handler, while a SIGTERM is held back: looks for a verdict that has not come as a message.  `deaf`: the
// main thread waits in a blocking collective, and nothing of ours is under way in it.
void follow_termination(bool deaf);

// Asks Slurm to signal the whole step, so that ranks that compute without MPI become aware.
void make_others_aware();

// A restored process has no SIGTERM pending.
void forget_terminate();

}  // namespace sckpt
