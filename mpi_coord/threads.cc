// See threads.h.
//
// A program may also wait without a call, by looking at memory that another rank writes or at a file, and nothing tells
// for whom.  A rank that owes a collective for long is taken to be waiting for everybody: opening a gate is always
// safe, so where it only computes that costs the others a few steps more.
#include "mpi_coord/threads.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "mpi_coord/coordinator.h"
#include "preload/base/barrier.h"
#include "preload/base/clock.h"
#include "preload/base/system.h"

namespace sckpt::mpi {
namespace {

struct Wait {
    const ThreadRecord *thread;
    std::vector<std::uint32_t> peers;
    bool called;  // MPI since the last tick
};
std::vector<Wait> waits;

constexpr std::int64_t kLate = 250'000'000;  // ns
std::int64_t owes_since = 0;                 // on the monotonic clock; 0: does not

Wait &mine() {
    const auto found = std::ranges::find(waits, self.record, &Wait::thread);
    return found != waits.end() ? *found : waits.emplace_back(self.record);
}

// ns; what a thread has to wait for at most and at least, and how often it was for nothing in this epoch.
constexpr std::int64_t kMostPatience = 100'000'000, kLeastPatience = 5'000'000;
int impatient = 0;

bool owes_for_long(const mpi_coord::Settle &settle) {
    if (settle.phase() != mpi_coord::Phase::gated || !settle.owes()) {
        owes_since = 0;
        return false;
    }
    const std::int64_t time = kernel_time(CLOCK_MONOTONIC);
    if (owes_since == 0) owes_since = time;
    return time - owes_since >= kLate;
}

}  // namespace

bool outside_collectives() {
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && !record->helper && record->state && record->state->in_collective) return false;
    return true;
}

void await_entering() {
    if (thread_level() != MPI_THREAD_MULTIPLE) return;
    barrier_in_all_threads();
    for (ThreadRecord *record = all_threads; record; record = record->next)
        while (record != self.record && record->alive && !record->helper && record->state &&
               __atomic_load_n(&record->state->entering, __ATOMIC_ACQUIRE))
            sys::yield();
}

bool others_inside() {
    if (thread_level() == MPI_THREAD_SERIALIZED) barrier_in_all_threads();
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && !record->helper && record->state && record != self.record && record->state->busy)
            return true;
    return false;
}

bool Patience::exhausted(const mpi_coord::Settle &settle, bool due) {
    if (thread_level() != MPI_THREAD_MULTIPLE || settle.phase() != mpi_coord::Phase::gated || due) return true;
    const std::int64_t time = kernel_time(CLOCK_MONOTONIC);
    if (since_ == 0) since_ = time;
    if (time - since_ < std::max(kMostPatience >> std::min(impatient, 20), kLeastPatience)) return false;
    ++impatient;
    return true;
}

void note_wait(const Peers &peers) {
    Wait &wait = mine();
    wait.called = true;
    wait.peers = peers.ranks();
}

void note_call() {
    const auto found = std::ranges::find(waits, self.record, &Wait::thread);
    if (found != waits.end()) found->called = true;
}

void note_no_wait() {
    std::erase_if(waits, [](const Wait &wait) { return wait.thread == self.record; });
}

void note_tick() {
    const auto found = std::ranges::find(waits, self.record, &Wait::thread);
    if (found != waits.end() && !std::exchange(found->called, false)) waits.erase(found);
}

void forget_waits() {
    waits.clear();
    impatient = 0;
    owes_since = 0;
}

void tell_of_waits(mpi_coord::Settle &settle) {
    std::erase_if(waits, [](const Wait &wait) { return !wait.thread->alive; });
    std::vector<std::uint32_t> peers;
    if (owes_for_long(settle)) {
        peers.resize(static_cast<size_t>(world_size()));
        std::iota(peers.begin(), peers.end(), 0u);
    } else {
        for (const Wait &wait : waits) peers.insert(peers.end(), wait.peers.begin(), wait.peers.end());
    }
    if (peers.empty())
        settle.unblocked();
    else
        settle.blocked_on(peers);
}

}  // namespace sckpt::mpi
