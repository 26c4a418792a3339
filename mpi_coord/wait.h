// Waiting inside MPI in a way that can be left.  A blocking point-to-point call is the non-blocking call and a loop that
// tests; with no checkpoint requested a turn of the loop costs the test and one predicted branch.  When there is a
// request the loop serves the agreement, and the checkpoint (and a restart) happens inside of it: all live handles are
// read anew in every turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "mpi_coord/handles.h"
#include "preload/base/thread.h"

namespace sckpt::mpi {

// World ranks that a wait depends on.
class Peers {
  public:
    // One rank of a communicator, or all of them for MPI_ANY_SOURCE; nobody for MPI_PROC_NULL.
    void add(const CommRecord *comm, int peer);
    const std::vector<std::uint32_t> &ranks() const { return ranks_; }

  private:
    std::vector<std::uint32_t> ranks_;
};

// Out of line: one turn of serving the agreement, in a thread that waits for `peers`.  May take a checkpoint.
void serve_waiting(const Peers &peers);
// The wait has ended while an epoch is under way.
void waited();
// Synchronous sends of this rank that await the receipt of a drained message (synchronous.h): worth a look every turn.
// Zero nearly always.
extern std::atomic<int> awaiting_receipts;
// No request is known here: has a control message of another rank come in?
void look_for_control();

// Turns of all waits together: a rank that waits often and never for long looks as well.  Approximate, with several
// threads.
inline std::atomic<unsigned> turns_waited{0};

inline constexpr unsigned kLookEvery = 1024;

// Another wait, or another turn of one: is it time to look at what has nothing to do with it?
inline bool looks_due() {
    const unsigned turn = turns_waited.load(std::memory_order_relaxed) + 1;
    turns_waited.store(turn, std::memory_order_relaxed);
    return turn % kLookEvery == 0 || awaiting_receipts.load(std::memory_order_relaxed) != 0;
}

// attempt() -> bool: tries to complete; collect(Peers &): whom the wait depends on, called only when serving.
template <class Attempt, class Collect>
[[gnu::always_inline]] inline void wait_until(Attempt attempt, Collect collect) {
    bool served = false;
    while (!attempt()) {
        if (attention.load(std::memory_order_relaxed)) [[unlikely]] {
            Peers peers;
            collect(peers);
            serve_waiting(peers);
            served = true;
            continue;
        }
        if (looks_due()) [[unlikely]]
            look_for_control();
    }
    if (served) [[unlikely]]
        waited();
}

}  // namespace sckpt::mpi
