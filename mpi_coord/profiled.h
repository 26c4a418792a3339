// Profiling libraries behind us.
#pragma once

namespace sckpt::mpi {

// Gives the functions that a profiling library defines to that library.  Before the application runs.
void find_profilers();

}  // namespace sckpt::mpi
