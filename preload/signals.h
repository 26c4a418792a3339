// Signals that sckpt needs are hidden from the application: what it does to them is kept and played back.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <vector>

#include "preload/base/thread.h"
#include "preload/resources.h"

namespace sckpt {

// Signals that we handle ourselves.
inline constexpr int kRequestSignal = SIGURG;  // `sckpt create`: ignored by default everywhere else
inline constexpr int kTerminateSignal = SIGTERM;

// Installs `handler` (SA_SIGINFO | SA_RESTART, every signal blocked while it runs) for these signals, keeping what the
// application has set so far as its virtual action, and unblocks them in the calling thread, keeping what was blocked
// as virtually blocked.  Called once at start, when the thread has its record, and again in a restored process.
void hide_signals(void (*handler)(int, siginfo_t *, void *));

// In a process that is no rank (yet): `handler` is called at SIGTERM, with the flags and mask of the application's own
// action, which run_own_action() then takes.  Not when the application ignores SIGTERM.  Goes on in forked children.
void stand_before_terminate(void (*handler)(int, siginfo_t *, void *));
// In that handler: what would have happened without it.
void run_own_action(int signal, siginfo_t *info, void *context);

// The application's own action for a hidden signal takes place now, as if it had just arrived: its handler runs (with
// its mask), it is ignored, or the process ends by the signal.  From a handler of ours or from a safe place; `context`
// is the handler's, null otherwise.  Where the calling thread blocks it, it becomes pending, and a thread that waits
// for it or does not block it is woken by park_signal().  The application's alternate stack is not used.
void deliver_to_application(int signal, siginfo_t *info, void *context);

// Delivers what is pending and not blocked by the calling thread, unless it is one of MPI's.  To be called at the end
// of every handler of ours (the wrappers that unblock do it themselves).
void deliver_pending(void *context);

// True when the application has it blocked (as it believes) in the calling thread.
bool application_blocks(int signal);

// Gives every signal the application's own action and the calling thread's true mask: in a forked child.  What
// stand_before_terminate() did stays.
void unhide_signals();

// The hidden signals that the calling thread believes blocked: bit per signal as in to_bits() (wrap.h).
std::uint64_t virtually_blocked();
void set_virtually_blocked(std::uint64_t signals);
// Those that are hidden now (before the process is a rank: the parking signal only), and those that a rank hides.
std::uint64_t hidden_signals();
std::uint64_t all_hidden_signals();
// Hidden signals that have arrived and are still to be delivered.
std::uint64_t pending_hidden();
// Claims one of these that is pending, and gives its siginfo; 0 when none is.
int take_pending_hidden(std::uint64_t signals, siginfo_t *info);
// While it lives, the calling thread is one that waits for these hidden signals: it is woken when one comes.
class HiddenWaiter {
  public:
    explicit HiddenWaiter(std::uint64_t signals);
    ~HiddenWaiter() { end(); }
    void end();  // in place of the destructor, which does not run in a thread that is cancelled
    HiddenWaiter(const HiddenWaiter &) = delete;
    HiddenWaiter &operator=(const HiddenWaiter &) = delete;

  private:
    int slot_ = -1;
};

// What the kernel keeps about signals for one thread, but for those that are queued.
struct ThreadSignals {
    std::uint64_t mask = 0;  // at the time of the call
    stack_t alternate{};     // sigaltstack
};
// By the thread itself, with signals blocked (in the handler that parks it).
void record_thread_signals(ThreadSignals &saved);
// By the re-created thread, with all signals blocked: the alternate stack.  The mask is left alone: loading it is the
// last thing that the thread does.
void restore_thread_signals(const ThreadSignals &saved);

// Signals that are queued for one thread, in their order.  They can only be looked at by taking them out and putting
// them in again, behind what has come meanwhile: so this is done once nothing that runs could send one.
using QueuedSignals = std::vector<siginfo_t>;
bool has_queued_signals(int kernel_id);
// By the thread itself, all signals blocked and all other threads parked.  They stay queued.
void copy_queued_signals(QueuedSignals &list);
// By the re-created thread, all signals blocked.
void queue_signals_again(const QueuedSignals &list);

}  // namespace sckpt
