// Generalized requests (MPI-3.1, 12.2): the lower half's own, made again at a restart with the application's callbacks.
// At a cut none of those is called: whether one has been completed is known from MPI_Grequest_complete.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// The request is over: completed towards the application, or freed.
void forget_generalized(RequestRecord *record);

// MPI_Request_free on one that has not been completed: it stays until it is, and its free callback is called then.
// False: it has been completed, or is none.
bool free_generalized_later(RequestRecord *record);

// At a restart: as it was.
void make_generalized_again(RequestRecord *record);

}  // namespace sckpt::mpi
