// Persistent collectives, an extension of this MPI (MPIX_Barrier_init and so on): the lower half's own, made again from
// their arguments at a restart.  See persistent_collective.cc.
#pragma once

#include <functional>
#include <vector>

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// What RequestRecord::buffer of such a request points to.
struct PersistentCollective {
    // Makes the live request, from the arguments as they were given; returns an MPI error code.  `again`: at a restart.
    std::function<int(MPI_Request *real, bool again)> make;
    std::vector<const Record *> needs;  // datatypes and operations, which the application may free meanwhile
    std::int64_t number = 0;            // among those of its communicator
};

// Null for all other requests.
PersistentCollective *persistent_collective(const RequestRecord *record);

// In the wrapper, inside the collective: makes the request and gives it to the application.  Takes `made` over.
int begin_persistent_collective(PersistentCollective *made, CommRecord *comm, MPI_Request *request);
// The application has freed it.
void forget_persistent_collective(RequestRecord *record);
// At a restart; collective over all ranks.
void rebuild_persistent_collectives();

// True when one that is alive was made with this datatype or operation.
bool needed_by_persistent_collective(const RequestRecord *request, const Record *object);

}  // namespace sckpt::mpi
