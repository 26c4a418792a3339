// Windows for one-sided communication: what is known of one beyond its live handle.
//
// A window has a communicator of its own with its members: collective calls on it are announced and counted there, and
// at a restart it is made on it again.
#pragma once

#include <memory>

#include "mpi_coord/comm.h"
#include "mpi_coord/info.h"

namespace sckpt::mpi {

// Memory that the lower half has allocated for a window and shares among processes.  The application has it at an
// address of the upper half: another mapping of the same pages, so that one-sided operations are those of the lower
// half's own window (win_memory.cc).
struct WinMemory {
    char *lower = nullptr;
    char *upper = nullptr;  // null when there are no bytes
    std::size_t bytes = 0;
    bool lent = false;         // false: private memory by now, since a restart where no other was to be had
    char *contents = nullptr;  // at the cut: a copy, in the rank that keeps it
};

struct HeldLock {
    std::uint8_t type = 0;  // 0: none, else MPI_LOCK_EXCLUSIVE or MPI_LOCK_SHARED
    int assertion = 0;
};

struct WinInfo {
    int flavor = MPI_WIN_FLAVOR_CREATE;
    int model = MPI_WIN_UNIFIED;
    int unit = 1;
    void *base = nullptr;
    MPI_Aint size = 0;
    bool owns_memory = false;           // `base` is from the application's heap
    std::unique_ptr<WinMemory> memory;  // MPI_Win_allocate_shared: of all members; MPI_Win_allocate: of this one
    bool gaps = false;                  // alloc_shared_noncontig
    bool made = false;                  // not for the first time
    std::vector<std::pair<void *, MPI_Aint>> attached;  // MPI_Win_create_dynamic

    // --- epochs of this rank (win_epoch.cc)
    bool fenced = false;     // by a fence that lets an epoch begin
    std::int64_t fence = 0;  // being entered: its number among the collectives of the window; 0: none
    bool accessing = false;  // between MPI_Win_start and MPI_Win_complete
    bool exposed = false;    // between MPI_Win_post and MPI_Win_wait
    int exposed_assertion = 0;
    bool all_locked = false;  // MPI_Win_lock_all
    int all_locked_assertion = 0;
    int locked = 0;                                // targets locked one by one
    bool unsure = false;                           // a lock may not be granted yet: MPI_Win_lock need not wait for that
    std::vector<HeldLock> locks;                   // by target; empty until the first
    std::vector<int> access_group, exposed_group;  // ranks in the window
    std::vector<std::uint64_t> posts, completions;  // how often so far for each rank, from it; empty until the first
    std::atomic<int> waits_for_lock{0}, waits_for_group{0};  // threads that may be waiting inside the lower half

    // --- at the cut
    std::string name;
    InfoEntries hints;
    std::vector<int> completed;  // ranks that have not seen our completion in MPI_Win_wait

    bool holds_lock() const { return all_locked || locked > 0; }
};

// Live windows in the order that is the same in all members.
std::vector<WinRecord *> windows_in_order();

// While it lives, errors about the window are returned and no handler of the application runs.
class QuietWin {
  public:
    explicit QuietWin(MPI_Win real);
    ~QuietWin();
    QuietWin(const QuietWin &) = delete;
    QuietWin &operator=(const QuietWin &) = delete;

  private:
    MPI_Win real_;
    MPI_Errhandler handler_ = nullptr;
};

// The world ranks that the rank waits for in a call on the window.
std::vector<std::uint32_t> world_ranks_of(const WinRecord *win, const std::vector<int> &members);

// At the cut, before the network is drained: what has been issued under locks is completed, here and at the targets.
void flush_windows();
// The flush that makes sure that locks are granted (held by this rank, not only asked for).
void make_sure_of_locks(WinRecord *win);

// --- memory

// Makes the live window behind `info` on its communicator, with its memory.  At a restart that is where it was; what
// was in it is for fill_memory().  Collective; an MPI error code.
int make_live(WinInfo &info, MPI_Info real_hints, const CommRecord *own, MPI_Win *real);
void release_memory(WinInfo &info);
// At the cut: takes the mapping out of the image, with its address kept free, and its contents into private memory if
// `keep`.  Returns a sentence on failure, else nothing.  show_again() undoes it, also after a failure.
std::string put_aside(WinMemory *memory, bool keep);
void show_again(WinMemory *memory);
// At a restart, when it is visible again: the contents, where this rank has kept them.
void fill_memory(WinMemory *memory);

}  // namespace sckpt::mpi
