// Synchronous sends keep their meaning over a cut: one completes when the application at the destination has matched
// its message, even if the message was taken off the network (drain.h) before that.  See synchronous.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpi_coord/call.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/wait.h"

namespace sckpt::mpi {

// Sends of any mode on this communicator are to be numbered now.
inline bool numbers_sends(const CommRecord *comm) {
    return comm->synchronous_pending.load(std::memory_order_relaxed) != 0;
}
// A send has started: `record` is active.  Numbers it among those of its communicator, destination and tag.
void number_send(RequestRecord *record);
inline void note_send(RequestRecord *record) {
    if (record->mode == Mode::synchronous || numbers_sends(record->comm)) [[unlikely]]
        number_send(record);
}

// A synchronous send that was noted has completed, or nobody will ask for it any more.
void forget_synchronous(RequestRecord *record);

// A live request has completed: a persistent one that had a generalized request in its place gets its own back.
inline void take_back_persistent(RequestRecord *record) {
    if (!record->parked) return;
    record->real = record->parked;
    record->parked = nullptr;
}

// Ends the awaiting of a receipt without one.  False when `record` does not await one (any more).
bool stop_awaiting(RequestRecord *record);

// Puts a live generalized request in the place of a request that awaits a receipt: at the cut, and again at a restart.
void put_in_place(RequestRecord *record);

// The receipt of another rank for one of our messages.
void take_receipt(std::uint64_t token);

// In a call that tests and has found nothing: receipts come as control messages.
inline void look_for_receipts() {
    if (awaiting_receipts.load(std::memory_order_relaxed) != 0) [[unlikely]]
        look_for_control();
}

// --- at the cut

// The synchronous sends that are not complete towards the application.
std::vector<RequestRecord *> pending_synchronous();

// Collective over all ranks, after everything has been received: those of `pending` whose messages are among the
// drained ones await a receipt from now on, the others are complete.
void await_receipts(std::span<RequestRecord *const> pending);

}  // namespace sckpt::mpi
