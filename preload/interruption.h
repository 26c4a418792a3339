// Which handlers have run during a call, and waiting again when they were ours alone.
#pragma once

#include <errno.h>
#include <pthread.h>

#include "preload/wrap.h"

namespace sckpt {

class Interruption {
  public:
    // A handler of ours has run on this thread and none of the application's.
    bool ours_alone() const { return self.our_signals != ours_ && self.app_signals == application_; }
    bool ours_only() const { return errno == EINTR && ours_alone(); }
    bool application_too() const { return self.app_signals != application_; }

  private:
    std::uint64_t ours_ = self.our_signals;
    std::uint64_t application_ = self.app_signals;
};

// Makes the call again for as long as only handlers of ours have ended it: one that has no time-out.
template <class Call>
auto uninterrupted(Call call) {
    const Interruption state;
    auto result = call();
    while (result < 0 && state.ours_only()) result = call();
    return result;
}

// Runs `wait`, a cancellation point, so that `undo(argument)` is done when the thread is cancelled in it.  The clean-up
// is libc's own kind, since libsckpt.so is built without exceptions: destructors do not run then.
template <class Wait>
auto undone_when_cancelled(void (*undo)(void *), void *argument, Wait wait) {
    decltype(wait()) result;
    pthread_cleanup_push(undo, argument);
    result = wait();
    pthread_cleanup_pop(0);
    return result;
}

// With all signals blocked around a wait that unblocks them itself: a cancelled thread gets its mask back.
inline void give_mask_back(void *mask) { system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(mask), 0, 8); }

}  // namespace sckpt
