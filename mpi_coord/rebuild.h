// The MPI side of a restart, and its record at the cut.
#pragma once

#include "mpi_coord/coordinator.h"

namespace sckpt::mpi {

// Once, at the start of the process.  `on_failure` is called when the lower half cannot be loaded; it does not return.
void prepare_mpi(const char *library_directory, void (*on_failure)(const char *reason));

// Loads the lower half if that has not happened yet: MPI_Init does, and the tool interface, which may come before.
void load_mpi();

// At the cut, after drain_network(): asks the lower half about every live object.  Collective over all ranks.  Returns a
// sentence when one cannot be recorded now, else nothing.
std::string record_objects();

// After record_objects(), in the process that goes on, before a thread of the application does: collective over all
// ranks.  Returns when what others do to this rank's memory can no longer get into its image.
void resume_objects();

// At a restart, all threads running again and gated: MPI_Init in the new lower half, then every object again, then the
// requests.  Collective over all ranks; ends the process with a sentence when MPI cannot be initialised.  Returns a
// sentence when something outside of the program is no longer there (a file), else nothing.
std::string rebuild_mpi();

void initialise_again();

}  // namespace sckpt::mpi
