// Windows for one-sided communication: what is known of one beyond its live handle.
//
// A window has a communicator of its own with its members: collective calls on it are announced and counted there, and
// at a restart it is made on it again.  Whatever memory it has lies in the upper half, at the address it had; the live
// window is always one of MPI_Win_create over that memory, or of MPI_Win_create_dynamic.
#pragma once

#include <memory>

#include "mpi_coord/comm.h"
#include "mpi_coord/info.h"

namespace sckpt::mpi {

// Memory that the members of a window share (win_shared.cc).
struct SharedSegment {
    struct Part {
        MPI_Aint size = 0;    // bytes
        MPI_Aint offset = 0;  // bytes from `start`
        int unit = 1;         // displacement unit
    };
    char *start = nullptr;
    std::size_t bytes = 0;    // whole pages
    std::vector<Part> parts;  // by rank
    // at the cut
    void *parked = nullptr;    // where the mapping is meanwhile
    char *contents = nullptr;  // rank 0: a copy
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
    bool owns_memory = false;                           // MPI_Win_allocate
    std::unique_ptr<SharedSegment> shared;              // MPI_Win_allocate_shared
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

// --- memory shared by the members of a window; each is collective over comm, and returns an MPI error code

int make_shared_segment(CommRecord *comm, MPI_Aint size, int unit, bool contiguous, SharedSegment *segment);
void drop_shared_segment(SharedSegment *segment);
// At the cut: takes the mapping out of the image, with its address kept free, and its contents into private memory.
// Returns a sentence on failure, else nothing; then reattach() has to follow in any case.
std::string detach(SharedSegment *segment, int rank);
void reattach(SharedSegment *segment);
// At a restart: makes it again, with its contents, where it was.  Returns a sentence on failure, else nothing.
std::string make_again(CommRecord *comm, SharedSegment *segment);

}  // namespace sckpt::mpi
