// What is known of the lower half's MPI beyond its interface.  None of it is relied upon: where it cannot be found out, or
// where it errs, calls take the longer way that the interface offers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpi_coord/handles.h"
#include "mpi_coord/requests.h"

namespace sckpt::mpi {

// After each MPI_Init, when control messages are possible: transports differ between nodes.
void learn_hints();

// --- eager sends: DatatypeRecord::eager_count of the predefined types
//
// A standard send that is eager ends without a call of its receiver: it may be the lower half's own MPI_Send, which
// needs no request.  While it lasts this rank hears nothing of an epoch; that is no longer than it takes its receiver
// to let the network move on, as everyone does who waits, stands at a gate or ticks.

// --- sends that need no request
//
// Open MPI gives one request to all sends that are complete when MPI_Isend returns; so do we.
extern RequestRecord completed_at_once;

// --- completion of requests
//
// MPI_Test has full memory barriers, also when all that it finds is that nothing has come.  Requests of the lower half
// have a word that is 0 while they are incomplete and 1 when they are complete: `completion_word` is its distance in
// bytes from the handle.  0 when it is not known: the word there is a pointer.
extern std::size_t completion_word;
// Lets the network move on.
extern void (*progress)();

inline const volatile std::uintptr_t *word_of_completion(MPI_Request real) {
    return reinterpret_cast<const volatile std::uintptr_t *>(reinterpret_cast<const char *>(real) + completion_word);
}

// --- outcome of requests
//
// A request that is complete holds its status: `status_place` is the distance in bytes of that from the handle, 0 when it
// is not known.
extern std::size_t status_place;

inline const MPI_Status &outcome_of(MPI_Request real) {
    return *reinterpret_cast<const MPI_Status *>(reinterpret_cast<const char *>(real) + status_place);
}

// --- giving back of requests
//
// With its outcome read there a receive can end without a call, and its request be given back when there is time for
// that: a program that answers a message does not wait for it.  `put_off` is one that is complete and still to be given
// back, or null.  Not with MPI_THREAD_MULTIPLE.
extern MPI_Request put_off;

// Out of line: gives it back.
void give_back_slow();
// Before a communicator or MPI ends, and wherever there is time.
inline void give_back() {
    if (put_off) give_back_slow();
}

// The end of a receive that is complete and in order; false when MPI has to be asked.
[[gnu::always_inline]] inline bool ended(MPI_Request real, MPI_Status *status) {
    if (status_place == 0 || put_off || posted_concurrently) [[unlikely]]
        return false;
    const MPI_Status &outcome = outcome_of(real);
    if (outcome.MPI_ERROR != MPI_SUCCESS) [[unlikely]]
        return false;
    if (status != MPI_STATUS_IGNORE) copy_status(status, outcome);
    put_off = real;
    return true;
}

// Are the requests of a wait complete?  Asked turn after turn.
class Outlook {
  public:
    enum Answer { incomplete, complete, ask_mpi };

    Answer look(const MPI_Request *handles, int count) {
        if (completion_word == 0) return ask_mpi;
        if (all_complete(handles, count)) return complete;
        progress();
        if (all_complete(handles, count)) return complete;
        return ++turns_ % kAskAllTheSame == 0 ? ask_mpi : incomplete;
    }
    // Handles or requests have changed.
    void forget() { completed_ = 0; }

  private:
    static constexpr unsigned kAskAllTheSame = 64;
    int completed_ = 0;  // so many are, from the first on
    unsigned turns_ = 0;

    bool all_complete(const MPI_Request *handles, int count) {
        for (; completed_ < count; ++completed_)
            if (handles[completed_] && *word_of_completion(handles[completed_]) != 1) return false;
        return true;
    }
};

}  // namespace sckpt::mpi
