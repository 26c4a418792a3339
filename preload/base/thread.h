// What libsckpt.so knows about the calling thread, and the guard that every wrapper holds.
//
// The rule everything rests on: a thread with self.busy > 0 is inside code of ours or inside the lower half.  A signal
// of ours that finds it there does nothing but leave `attention` raised: the thread looks at it on its way out.  A
// thread with self.busy == 0 is inside the application (or a library of it) and may be stopped where it stands.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "preload/base/context.h"

namespace sckpt {

// The signal that parks a thread; also carries the tick and our timers.
inline int park_signal() { return SIGRTMAX - 2; }

enum class Parking : std::uint32_t {
    running,
    parked,     // waits on `parking` for release
    restored,   // re-created at a restart: on its way back into the application
};

// What the kernel keeps for a thread and a new kernel thread does not have (thread_state.h).
struct KernelSide {
    static constexpr std::size_t kCpuWords = 16;  // 1024 processors
    std::uint32_t policy = 0, priority = 0;       // sched(7)
    std::uint64_t policy_flags = 0;               // SCHED_FLAG_*
    std::int32_t nice = 0;
    std::uint64_t runtime = 0, deadline = 0, period = 0;  // of SCHED_DEADLINE, nanoseconds
    std::size_t cpu_bytes = 0;                            // 0: not known
    std::uint64_t cpus[kCpuWords] = {};
    std::uint64_t timer_slack = 0;                                        // nanoseconds
    std::int64_t cpu_time = 0, user_time = 0, system_time = 0;            // at the cut, as the program sees them, ns
    std::int64_t cpu_shift = 0, user_time_shift = 0, system_time_shift = 0;  // to be added to the kernel's, ns
};

// One per thread; lives in the own heap, so that it is in the image and outlives the thread's TLS.
struct ThreadState;

struct ThreadRecord {
    ThreadState *state = nullptr;    // of the thread, while it runs
    std::uint64_t pthread = 0;       // pthread_t, which is also the thread's FS base
    int id = 0;                      // the id that the program knows: the kernel's at first
    int kernel_id = 0;               // the kernel's id in this incarnation
    int kernel_id_at_cut = 0;
    int by_kernel_id = 0;            // calls under way for which its control block says that id (mutexes.cc)
    std::atomic<std::uint32_t> alive = 0;
    std::atomic<Parking> parking = Parking::running;
    std::atomic<std::uint32_t> parked_for = 0;  // which stop: one that was released may not have got the processor yet
    bool detached = false;
    bool initial = false;            // the main thread
    bool helper = false;             // a thread of the lower half: never restored, only cleared away
    std::uint32_t virtual_blocked = 0;  // signals of ours that the program believes blocked: bit per Hidden
    std::uint64_t signal_mask = 0;   // at the cut
    char name[16] = {};              // as prctl(2) gives it, at the cut
    KernelSide kernel;
    std::atomic<bool> has_pending = false;  // signals that are queued for it are to be copied (stop.cc)
    std::vector<siginfo_t> pending;  // those, at the cut
    Context context;                 // where a parked thread continues after a restart
    ThreadRecord *next = nullptr;
};

struct ThreadState {
    int busy = 0;
    bool in_collective = false;  // has counted a collective that it has not yet left; in a blocking one: deaf
    bool entering = false;       // is about to look at attention and to count
    bool lower_started = false;  // the lower libc knows this thread
    ThreadRecord *record = nullptr;
    std::uint64_t our_signals = 0;  // handlers of ours run on this thread: tells our EINTR from the application's
    std::uint64_t app_signals = 0;  // handlers of the application run on this thread
};

// All records, newest first.  Records of ended threads are reused, never freed: a walk needs no lock.
extern std::atomic<ThreadRecord *> all_threads;
// A record for a thread about to run, taken from the ended ones or new.  Its `alive` is already 1.
ThreadRecord *new_thread_record();
// Fills the record of the calling thread and makes `self` point at it.
void adopt_thread(ThreadRecord *record);

// Where the kernel finds glibc's fields in a thread control block, as distances from the FS base in bytes.  Asked of
// the kernel once (PR_GET_TID_ADDRESS, get_robust_list), since they differ between versions of glibc.
struct ControlBlock {
    std::uint64_t id, robust_list, robust_size;
};
const ControlBlock &control_block();
// To be called once, in the main thread, before anything else of this header.
void find_control_block();

// initial-exec: no call into ld.so, usable in signal handlers.
extern constinit thread_local ThreadState self [[gnu::tls_model("initial-exec")]];

// Non-zero while anything wants the attention of threads that pass a wrapper: a request, SETTLE, a restart gate.
extern std::atomic<std::uint32_t> attention;
enum Attention : std::uint32_t {
    kRequested = 1,  // a signal or timer asked for a checkpoint; nobody has looked at it yet
    kSettling = 2,   // an epoch is under way
    kStopping = 4,   // threads are to park
    kGated = 8,      // restart: no call may enter the lower half yet
};

// Called out of line when attention is raised: on entering and on leaving the outermost guard.
void attend_entry();
void attend_exit();
// Parks the calling thread if threads are to stop and it is not the one that stops them.
void park_if_stopping();

// Enters as a Guard does, if nothing wants attention: then true, and leave() is to follow.
[[gnu::always_inline]] inline bool enter_unnoticed() {
    ++self.busy;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (attention.load(std::memory_order_relaxed) == 0) [[likely]]
        return true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    --self.busy;
    return false;
}
[[gnu::always_inline]] inline void leave() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (--self.busy == 0 && attention.load(std::memory_order_relaxed) != 0) [[unlikely]]
        attend_exit();
}

// Held while a wrapper runs.  Nested ones (an error handler of the application that calls MPI) are free of checks.
class Guard {
  public:
    Guard() {
        if (self.busy++ == 0 && attention.load(std::memory_order_relaxed) != 0) [[unlikely]]
            attend_entry();
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Guard() { leave(); }
    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;
};

// Marks code of ours that is not an MPI call (a wrapper of open() or pthread_create()): not parked inside, not gated.
class Busy {
  public:
    Busy() {
        ++self.busy;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Busy() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (--self.busy == 0 && (attention.load(std::memory_order_relaxed) & kStopping)) [[unlikely]]
            park_if_stopping();
    }
    Busy(const Busy &) = delete;
    Busy &operator=(const Busy &) = delete;
};

}  // namespace sckpt
