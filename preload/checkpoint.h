// The path of a checkpoint.
#pragma once

#include <cstdint>

#include "mpi_coord/coordinator.h"

namespace sckpt {

// Every rank calls it when all have stopped (mpi_coord/coordinator.h, Hooks::checkpoint).  Returns when this rank is
// to go on: after the checkpoint, after a failed one, and in the restored process.
void checkpoint(std::uint32_t cause);

// Why the process cannot be checkpointed now, as a sentence; null when it can.
const char *blocker(bool &may_pass);
// No checkpoint is taken; `reason` is set in the rank that is why, null elsewhere.
void checkpoint_declined(std::uint32_t cause, mpi::Decline why, const char *reason);

// A writer runs in the background: looks whether it has ended.  From a timer's handler.
void follow_background_write();

// True from the commit of a preemption checkpoint on: the ranks only wait for their end.
bool held_for_requeue();

}  // namespace sckpt
