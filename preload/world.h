// The tasks of a step as one world, whether MPI runs in them or not.  The collective functions are for stopped tasks.
#pragma once

#include <cstdint>

namespace sckpt::world {

// This task's number as the launcher says it in the environment.
int launched_rank();
// For tasks without MPI: what the launcher says in the environment.
void read_environment();

int rank();
int size();

// Union of the bits of all.  When a task without MPI does not answer in time, all bits are set: ask for what forbids.
std::uint32_t agree_union(std::uint32_t bits);
// The same where rank 0 may have to wait for the writers of all.
std::uint32_t agree_after_commit(std::uint32_t bits);
// What rank 0 has; false when it does not answer in time.
bool broadcast(void *data, int bytes);

}  // namespace sckpt::world
