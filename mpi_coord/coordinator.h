// The coordinator: drives the agreement (settle.h) over a private communicator of the lower half, inside the calls that
// the application makes anyway and in a tick while an epoch is under way.  No thread, no daemon, no port; while no
// checkpoint is requested it sends nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// Why a checkpoint is wanted; combined as bits, and agreed upon by all ranks at STOP.
enum Cause : std::uint32_t {
    kInterval = 1,   // the interval has passed
    kTerminate = 2,  // SIGTERM: preemption, time limit, scancel, requeue
    kCreate = 4,     // `sckpt create`
    kCall = 8,       // sckpt_checkpoint() of the application
};

// Why an epoch ended without a checkpoint; goes to all ranks.
enum class Decline : std::int64_t {
    none,
    object,   // something lives that cannot be checkpointed: may be different a moment later
    soon,     // the same, but likely to be gone in a moment: the request is to be made again
    passing,  // a call was made that cannot be held: the request is made again at once
    native,   // rank 0 says that no checkpoint is wanted for this signal
};

// What the coordinator asks of the process around it (preload/).
struct Hooks {
    // MPI_Init has succeeded: requests are taken from now on.
    void (*started)();
    // Everybody has stopped: takes the checkpoint.  Returns when this rank is to go on, also in its restored copy.
    void (*checkpoint)(std::uint32_t cause);
    // Calls tick() some thousand times a second in the thread that initialised MPI, or stops doing so.
    void (*set_tick)(bool on);
    // Why the process cannot be checkpointed now, as a sentence; null when it can.  Sets `may_pass` when that is likely
    // to change in a moment.
    const char *(*blocker)(bool &may_pass);
    // In rank 0: why the pending signal is none to take a checkpoint for, as a sentence; null when it is, or none is.
    const char *(*unwanted)();
    // An epoch has ended without a checkpoint; `reason` is set in the rank that declined, null elsewhere.
    void (*declined)(std::uint32_t cause, Decline why, const char *reason);
};
void set_hooks(const Hooks &hooks);

// A checkpoint is wanted.  Async-signal-safe; attention is raised and the rest happens at the next opportunity.
void request_checkpoint(std::uint32_t cause);

// In a signal handler that interrupted application code (self.busy == 0) in the thread that initialised MPI: serves the
// agreement.  `may_stop`: the interrupted code can be stopped where it is for as long as a restart takes.
void tick(bool may_stop);

// MPI is initialised and not yet finalised.
bool mpi_running();
bool mpi_finished();  // MPI_Finalize has been called by all
int world_rank();
int world_size();
int thread_level();
// The number of the epoch under way, or of the next one; and of the last one that has ended here.  In handlers, too.
std::uint32_t current_epoch();
std::uint32_t last_epoch();
// When this rank joined the last one, or the one under way: on the monotonic clock, in nanoseconds.
std::int64_t settling_since();

// --- while stopped, collective over all ranks, on a communicator that the application does not know
std::int64_t agree_minimum(std::int64_t value);
std::int64_t agree_maximum(std::int64_t value);
std::uint32_t agree_union(std::uint32_t bits);
void broadcast(void *data, int bytes, int root);

// --- for the other files of mpi_coord
void start_coordinator(int level);       // collective, at the end of MPI_Init
void restart_coordinator();              // collective, after MPI_Init at a restart: communicators of our own
void leave_coordinator();                // collective: leavable barrier, then no checkpoint any more
void serve_passing();                    // a thread passes a wrapper with attention raised
void announce_communicator(CommRecord *comm);
void forget_communicator(CommRecord *comm);
// Before a call that is collective over `members` (sorted world ranks, this one among them), which have no communicator
// for it: to the agreement it is the next collective of one that `id` names, the same number in all of them.  `comm`:
// it is also the next collective of that one, null when not.  Stands at the gate, announces, counts; the thread is
// inside from there on (Inside in call.h ends that).
void enter_meeting(CommRecord *comm, std::uint64_t id, std::span<const std::uint32_t> members);

// --- one-sided communication (win_epoch.cc)

// With attention raised, before what only an active rank may begin (settle.h, R12) on the window: stands at the gate, then
// calls begin(what), which changes what is known of the window, and tells the agreement of it.
void stand_before_waiting(const WinRecord *win, void (*begin)(void *), void *what);
// What is known of a window has changed while an epoch is under way.
void tell_of_windows();

}  // namespace sckpt::mpi
