// SIGTERM: Slurm sends it for preemption, time limit, scancel and requeue alike, several times and in any order.  It is
// held back while rank 0 asks Slurm why and the checkpoint is taken; then the job is requeued, or the signal takes its
// native course in the application.
#pragma once

#include <signal.h>

#include <cstdint>

namespace sckpt {

// In the handler.  True when a checkpoint is to be tried first; false when the signal has been dealt with.
bool terminate_requested(siginfo_t *info, void *context);

// For Hooks::blocker in rank 0: a sentence when the pending SIGTERM forbids a checkpoint, else null.
const char *blocker_terminate();

// After the commit of a checkpoint that a SIGTERM caused; collective.  True when the job comes back: asked for the
// requeue, or about to be requeued by Slurm.
bool end_after_commit();
// Waits for Slurm to end the job.
[[noreturn]] void hold_until_the_end();

// An epoch is over.  A SIGTERM that is still held back takes its native course now.
void after_checkpoint(std::uint32_t cause, bool committed);

// Asks Slurm to signal the whole step, so that ranks that compute without MPI become aware.
void make_others_aware();

// A restored process has no SIGTERM pending.
void forget_terminate();

}  // namespace sckpt
