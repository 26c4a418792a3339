// Epochs of windows: what is kept of them for a cut, and how a rank that may wait inside the lower half for what others
// do takes part in the agreement (settle.h, R12).
//
// Passive target: at the cut all operations are completed by a flush, and the locks are taken again at a restart by
// those who held them.  Active target: only the closing call completes what was issued, so the cut does not come
// between the first operation behind a fence and the next fence, nor between MPI_Win_start and MPI_Win_complete: a rank
// there goes on until it is through.  An exposure epoch may be open at the cut: it is opened again, and those who had
// completed their side of it complete it once more.
#include <algorithm>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/wait.h"
#include "mpi_coord/win.h"

namespace sckpt::mpi {
namespace {

WinInfo *info_of(MPI_Win win) {
    const WinRecord *record = record_of(win);
    return record ? record->info : nullptr;
}

// Ranks in the window of the members of a live group.
void ranks_in(const WinRecord *win, MPI_Group group, std::vector<int> &ranks) {
    MPI_Group all;
    int count = 0;
    ranks.clear();
    if (lower.Group_size(group, &count) != MPI_SUCCESS || count == 0) return;
    std::vector<int> own(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) own[static_cast<size_t>(i)] = i;
    ranks.resize(own.size());
    lower.Comm_group(static_cast<MPI_Comm>(win->comm->real), &all);
    lower.Group_translate_ranks(group, count, own.data(), all, ranks.data());
    lower.Group_free(&all);
    std::erase_if(ranks, [](int rank) { return rank < 0; });
}

void count_one(const WinRecord *win, const std::vector<int> &ranks, std::vector<std::uint64_t> &counts) {
    if (counts.empty()) counts.resize(win->comm->info->world.size());
    for (const int rank : ranks) ++counts[static_cast<size_t>(rank)];
}

// A call inside which this rank may wait for others.  begin(): what is true from then on, when it may be begun.
template <class Begin, class Call>
int wait_inside(WinRecord *win, std::atomic<int> WinInfo::*waits, Begin begin, Call call) {
    std::atomic<int> &waiting = win->info->*waits;
    auto enter = [&] {
        self.in_collective = true;
        ++waiting;
        begin();
    };
    const int error = [&] {
        const InCollective scope;
        {
            const Entering entering;
            if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
                stand_before_waiting(win, [](void *what) { (*static_cast<decltype(enter) *>(what))(); }, &enter);
            else
                enter();
        }
        return call();
    }();
    --waiting;
    if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
        tell_of_windows();
    return error;
}

// A lock has been asked for.  Some components of the lower half do not wait for it until an operation needs it.
void note_lock(WinRecord *win, int assertion) {
    if (assertion & MPI_MODE_NOCHECK) return;
    if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
        make_sure_of_locks(win);
    else
        win->info->unsure = true;
}

void note_unlock(WinRecord *win) {
    WinInfo &info = *win->info;
    if (info.holds_lock()) return;
    win->operations = 0;
    info.unsure = false;
    if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
        tell_of_windows();
}

void collect(Peers &peers, const WinRecord *win) {
    for (const int rank : win->info->exposed_group) peers.add(win->comm, rank);
}

}  // namespace

std::vector<std::uint32_t> world_ranks_of(const WinRecord *win, const std::vector<int> &members) {
    std::vector<std::uint32_t> world;
    for (const int rank : members) world.push_back(win->comm->info->world[static_cast<size_t>(rank)]);
    return world;
}

void make_sure_of_locks(WinRecord *win) {
    const QuietWin quiet(static_cast<MPI_Win>(win->real));
    lower.Win_flush_all(static_cast<MPI_Win>(win->real));
    win->info->unsure = false;
}

void flush_windows() {
    for (WinRecord *win : windows_in_order())
        if (win->info->holds_lock()) make_sure_of_locks(win);
}

void begin_operation(WinRecord *win) {
    const WinInfo *info = win->info;
    const bool by_fence = info && info->fenced && !info->accessing && !info->holds_lock();
    if (by_fence && win->operations == 0)
        stand_before_waiting(win, [](void *what) { ++static_cast<WinRecord *>(what)->operations; }, win);
    else
        ++win->operations;
}

extern "C" {

int PMPI_Win_fence(int assertion, MPI_Win win) {
    Guard guard;
    WinRecord *record = record_of(win);
    if (!record || !record->info) return lower.Win_fence(assertion, real_of(win));
    WinInfo &info = *record->info;
    info.fence = record->comm->collectives + 1;
    const Inside inside(record->comm);
    record->operations = 0;
    info.fence = 0;
    const int error = lower.Win_fence(assertion, real_of(win));
    if (error == MPI_SUCCESS) info.fenced = !(assertion & MPI_MODE_NOSUCCEED);
    return error;
}

int PMPI_Win_start(MPI_Group group, int assertion, MPI_Win win) {
    Guard guard;
    WinInfo *info = info_of(win);
    if (!info || info->accessing || !group) return lower.Win_start(real_of(group), assertion, real_of(win));
    WinRecord *record = record_of(win);
    ranks_in(record, real_of(group), info->access_group);
    return wait_inside(
        record, &WinInfo::waits_for_group, [&] { info->accessing = true; },
        [&] {
            const int error = lower.Win_start(real_of(group), assertion, real_of(win));
            info->accessing = error == MPI_SUCCESS;
            return error;
        });
}

int PMPI_Win_complete(MPI_Win win) {
    Guard guard;
    WinInfo *info = info_of(win);
    if (!info || !info->accessing) return lower.Win_complete(real_of(win));
    WinRecord *record = record_of(win);
    return wait_inside(
        record, &WinInfo::waits_for_group, [] {},
        [&] {
            const int error = lower.Win_complete(real_of(win));
            if (error != MPI_SUCCESS) return error;
            count_one(record, info->access_group, info->completions);
            info->accessing = false;
            record->operations = 0;
            return error;
        });
}

int PMPI_Win_post(MPI_Group group, int assertion, MPI_Win win) {
    Guard guard;
    const int error = lower.Win_post(real_of(group), assertion, real_of(win));
    WinInfo *info = info_of(win);
    if (error != MPI_SUCCESS || !info) return error;
    ranks_in(record_of(win), real_of(group), info->exposed_group);
    count_one(record_of(win), info->exposed_group, info->posts);
    info->exposed = true;
    return error;
}

// By tests, so that it can be left when the cut comes.
int PMPI_Win_wait(MPI_Win win) {
    Guard guard;
    WinInfo *info = info_of(win);
    if (!info || !info->exposed) return lower.Win_wait(real_of(win));
    int error = MPI_SUCCESS;
    wait_until(
        [&] {
            int done = 0;
            error = lower.Win_test(real_of(win), &done);
            return done || error != MPI_SUCCESS;
        },
        [&](Peers &peers) { collect(peers, record_of(win)); });
    if (error == MPI_SUCCESS) info->exposed = false;
    return error;
}

int PMPI_Win_test(MPI_Win win, int *flag) {
    Guard guard;
    WinInfo *info = info_of(win);
    const int error = lower.Win_test(real_of(win), flag);
    if (error != MPI_SUCCESS || !info || !info->exposed) return error;
    if (*flag) {
        info->exposed = false;
    } else if (attention.load(std::memory_order_relaxed)) [[unlikely]] {
        Peers peers;
        collect(peers, record_of(win));
        serve_waiting(peers);
    }
    return error;
}

int PMPI_Win_lock(int type, int target, int assertion, MPI_Win win) {
    Guard guard;
    WinInfo *info = info_of(win);
    if (!info) return lower.Win_lock(type, target, assertion, real_of(win));
    return wait_inside(
        record_of(win), &WinInfo::waits_for_lock, [] {},
        [&] {
            const int error = lower.Win_lock(type, target, assertion, real_of(win));
            if (error != MPI_SUCCESS || target < 0) return error;
            if (info->locks.empty()) info->locks.resize(record_of(win)->comm->info->world.size());
            info->locks[static_cast<size_t>(target)] = {static_cast<std::uint8_t>(type), assertion};
            ++info->locked;
            note_lock(record_of(win), assertion);
            return error;
        });
}

int PMPI_Win_lock_all(int assertion, MPI_Win win) {
    Guard guard;
    WinInfo *info = info_of(win);
    if (!info) return lower.Win_lock_all(assertion, real_of(win));
    return wait_inside(
        record_of(win), &WinInfo::waits_for_lock, [] {},
        [&] {
            const int error = lower.Win_lock_all(assertion, real_of(win));
            if (error != MPI_SUCCESS) return error;
            info->all_locked = true;
            info->all_locked_assertion = assertion;
            note_lock(record_of(win), assertion);
            return error;
        });
}

int PMPI_Win_unlock(int target, MPI_Win win) {
    Guard guard;
    const int error = lower.Win_unlock(target, real_of(win));
    WinInfo *info = info_of(win);
    if (error != MPI_SUCCESS || !info || info->locks.empty() || target < 0) return error;
    info->locks[static_cast<size_t>(target)] = {};
    --info->locked;
    note_unlock(record_of(win));
    return error;
}

int PMPI_Win_unlock_all(MPI_Win win) {
    Guard guard;
    const int error = lower.Win_unlock_all(real_of(win));
    WinInfo *info = info_of(win);
    if (error != MPI_SUCCESS || !info) return error;
    info->all_locked = false;
    note_unlock(record_of(win));
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Win_fence)
SCKPT_ALIAS(Win_start)
SCKPT_ALIAS(Win_complete)
SCKPT_ALIAS(Win_post)
SCKPT_ALIAS(Win_wait)
SCKPT_ALIAS(Win_test)
SCKPT_ALIAS(Win_lock)
SCKPT_ALIAS(Win_lock_all)
SCKPT_ALIAS(Win_unlock)
SCKPT_ALIAS(Win_unlock_all)

}  // namespace sckpt::mpi
