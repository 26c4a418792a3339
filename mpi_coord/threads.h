// What the threads of this rank are doing, as far as the agreement has to know.
#pragma once

#include "mpi_coord/settle.h"
#include "mpi_coord/wait.h"

namespace sckpt::mpi {

// No thread is in a collective of the lower half.
bool outside_collectives();
// Until no other thread is between its look at attention, which is raised by now, and its count (Inside in call.h).
void await_entering();
// Another thread is in a wrapper.  Below MPI_THREAD_MULTIPLE the lower half must not be entered then.
bool others_inside();

// How a thread stands before its next collective, or before it waits for a lock or for a target's side: which gate opens
// when, if the agreement lets the rank go on.
//
// To the agreement a rank that somebody needs may enter anything, for what it is needed for may lie behind any of its
// gates.  With several threads that would let those that nobody waits for run ahead, and bind the other ranks anew:
// ranks with two busy threads would keep each other going for ever.  So what is owed is entered at once, and anything
// else only after a while, which gets shorter the more often it was needed.
class Patience {
  public:
    // Called in every turn at the gate, when the agreement would let the rank go on.  `due`: others wait for what is
    // behind it.
    bool exhausted(const mpi_coord::Settle &settle, bool due);

  private:
    std::int64_t since_ = 0;  // on the monotonic clock; 0: not asked yet
};

// --- whom they wait for, all together: what is told by blocked_on() (settle.h, R6).  With the right to serve.

// The calling thread has looked in vain, and waits for these.
void note_wait(const Peers &peers);
// The calling thread calls MPI.  What it waited for is remembered: a loop of calls that test is one wait, and must not
// be taken back in every turn.
void note_call();
// The calling thread waits for nobody (any more), or is about to go deaf.
void note_no_wait();
// In the tick: the calling thread is in the application's own code.
void note_tick();
// The epoch is over.
void forget_waits();

// Tells the agreement.
void tell_of_waits(mpi_coord::Settle &settle);

}  // namespace sckpt::mpi
