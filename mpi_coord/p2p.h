// Starting of point-to-point operations, shared by blocking, non-blocking and combined calls.
#pragma once

#include "mpi_coord/complete.h"

namespace sckpt::mpi {

// Each returns an MPI error code; on success *record is an active request.
int start_send(Mode mode, const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
               RequestRecord **record);
int start_receive(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
                  RequestRecord **record);

inline void describe(RequestRecord *record, Operation operation, Mode mode, const void *buffer, int count,
                     MPI_Datatype type, int peer, int tag, CommRecord *comm) {
    record->operation = operation;
    record->mode = mode;
    record->buffer = const_cast<void *>(buffer);
    record->count = count;
    record->datatype = record_of(type);
    record->peer = peer;
    record->tag = tag;
    record->comm = comm;
}

// Completes `record` at once with a message taken at an earlier cut.
void complete_from_drained(RequestRecord *record, DrainedMessage *message);

}  // namespace sckpt::mpi
