// Messages that were in the network at a cut: taken off it into the upper half, and delivered from there later.
#pragma once

#include <cstdint>

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

struct DrainedMessage {
    DrainedMessage *next = nullptr;
    CommRecord *comm = nullptr;
    int source = 0, tag = 0;
    std::int64_t bytes = 0;
    char *data = nullptr;
    std::uint64_t token = 0;  // not zero: `sender` (world rank) awaits the receipt, see synchronous.h
    int sender = 0;
};

// The oldest message of comm->drained that a receive with this source and tag matches; null when there is none.
DrainedMessage *match_drained(CommRecord *comm, int source, int tag);
// The application has matched the message: it leaves the list, and a synchronous send of it is told so.
void unlink_drained(DrainedMessage *message);

// Status of a probe that finds this message.
void status_of(const DrainedMessage *message, MPI_Status *status);

// Receives the message into the application's buffer, frees it, fills *status (never MPI_STATUS_IGNORE) and returns
// what a receive of it returns, MPI_ERR_TRUNCATE for example; no error handler is called.
int deliver_drained(DrainedMessage *message, void *buffer, int count, MPI_Datatype real_type, MPI_Status *status);

// DRAIN.  All ranks have stopped; returns when every message that was sent has been received by its destination's upper
// half, every send is complete and every non-blocking collective too.  Collective over all ranks.
void drain_network();

// What drain_network took off the network so far, in this process.
struct DrainTotals {
    std::uint64_t messages, bytes;
};
DrainTotals drain_totals();

// Messages sent to and received from a world rank so far are kept per communicator; this adds up a freed one's.
void retire_counts(CommRecord *comm);

// Requests completed at a cut, not yet delivered to the application.
extern int undelivered;

}  // namespace sckpt::mpi
