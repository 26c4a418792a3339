// The path of a checkpoint.
#pragma once

#include <cstdint>

namespace sckpt {

// Every rank calls it when all have stopped (mpi_coord/coordinator.h, Hooks::checkpoint).  Returns when this rank is
// to go on: after the checkpoint, after a failed one, and in the restored process.
void checkpoint(std::uint32_t cause);

// A writer runs in the background: looks whether it has ended.  From a timer's handler.
void follow_background_write();

// True from the commit of a preemption checkpoint on: the ranks only wait for their end.
bool held_for_requeue();

}  // namespace sckpt
