// Communicators of our own in the lower half, and messages over them.
#pragma once

#include "mpi_coord/call.h"
#include "mpi_coord/settle.h"

namespace sckpt::mpi::control {

void open();   // collective: duplicates MPI_COMM_WORLD and MPI_COMM_SELF of the lower half
void close();  // collective
std::uint64_t times_opened();
int rank();
int size();

// For collectives of the stopped ranks (live handle).
MPI_Comm stopped_comm();
// A communicator of this rank alone, errors returned: messages to oneself.
MPI_Comm self_comm();

// The barrier of MPI_Finalize, on a communicator of its own, since others may use theirs meanwhile.
MPI_Request begin_last_barrier();

// Sends without waiting; small enough to leave eagerly.
void send(int to, const mpi_coord::Message &message);
// Tells the sender (world rank) of a drained message that it has been matched.  From any thread that may use MPI.
void send_receipt(int to, std::uint64_t token);
// Calls take(from, message) for each control message that has arrived, receipt(token) for each receipt.
void receive_all(void (*take)(int from, const mpi_coord::Message &message), void (*receipt)(std::uint64_t token));
// Until every message sent is on its way.
void finish_sends();

}  // namespace sckpt::mpi::control
