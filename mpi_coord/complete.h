// Completion of single requests, shared by the blocking calls and by the wait and test families.
#pragma once

#include "mpi_coord/call.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/generalized.h"
#include "mpi_coord/hints.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/synchronous.h"
#include "mpi_coord/wait.h"

namespace sckpt::mpi {

// What a request completed at a cut reports.  Returns its error after calling the communicator's error handler.
int deliver_outcome(RequestRecord *record, MPI_Status *status);

// What depends on the end of a request.
inline void note_end(RequestRecord *record) {
    if (record->operation == Operation::generalized)
        forget_generalized(record);
    else
        forget_synchronous(record);
}

// The request has completed towards the application: it becomes inactive (persistent) or goes back to the pool, by way of
// `list` (give_request).
inline void retire(RequestRecord *record, RequestRecord *&list = free_requests) {
    record->active = false;
    if (record->noted) [[unlikely]]
        note_end(record);
    if (!record->persistent)
        give_request(record, list);
    else
        take_back_persistent(record);
}

// A wait that is over before anything else has to be looked at: true when this live request is complete.
[[gnu::always_inline]] inline bool complete_soon(MPI_Request real) {
    if (completion_word == 0) [[unlikely]]
        return false;
    if (looks_due()) [[unlikely]] {
        look_for_control();
        return false;
    }
    // Stays valid: live handles change only while attention is raised.
    const volatile std::uintptr_t *const word = word_of_completion(real);
    for (unsigned turn = 0; turn < kLookEvery; ++turn) {
        if (*word == 1) return true;
        if (attention.load(std::memory_order_relaxed)) [[unlikely]]
            return false;
        progress();
    }
    return false;
}

int finish_later(RequestRecord *record, MPI_Status *status);

// Waits until `record` is complete, reports and retires it.
[[gnu::always_inline]] inline int finish(RequestRecord *record, MPI_Status *status) {
    if (record->complete || !complete_soon(static_cast<MPI_Request>(record->real))) return finish_later(record, status);
    MPI_Status own;
    MPI_Status *result = status == MPI_STATUS_IGNORE ? &own : status;
    own.MPI_SOURCE = MPI_PROC_NULL;
    const int error = lower.Wait(reinterpret_cast<MPI_Request *>(&record->real), result);
    count_completion(record, *result);
    retire(record);
    return error;
}

}  // namespace sckpt::mpi
