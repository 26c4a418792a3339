// The pristine state of the lower half: its writable data and its arena as they are after loading, before MPI_Init.
#pragma once

#include "mpi_coord/half.h"

namespace sckpt::mpi {

// Makes the arena's header, and the memory kept over resets, usable in a freshly reserved arena.
void prepare_arena();

// Copies the data of libraries that are not yet copied, and notes their TLS.  Returns how many were new.
int extend_pristine();

// Copies the arena as it is now; from here on, what constructors of late libraries allocate goes to the kept part.
void freeze_pristine_arena();

}  // namespace sckpt::mpi
