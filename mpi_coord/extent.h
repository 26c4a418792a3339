// How many entries the arrays of a collective call have.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

struct Extent {
    int send = 0, receive = 0;
};

// Of a call on a live communicator: one for each rank (of the remote group of an intercommunicator).
Extent all_ranks(MPI_Comm real);
// One for each neighbour in its topology; none when it has no topology.
Extent neighbours(MPI_Comm real);

}  // namespace sckpt::mpi
