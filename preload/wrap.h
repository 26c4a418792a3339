// What every wrapper of a libc function needs.  Wrappers may be called by constructors of other libraries before
// libsckpt.so's own has run, and in processes and forked children where sckpt is off: there they only forward.
#pragma once

#include <errno.h>
#include <signal.h>

#include <cstdint>

#include "preload/base/real.h"
#include "preload/base/spin.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"

#define SCKPT_WRAPPER extern "C" __attribute__((visibility("default")))

namespace sckpt {

enum class Recording : int { unknown, off, on };
extern Recording recording_state;
// Looks the real functions up when nobody has yet, and decides by the environment (SCKPT_DIR).
bool decide_recording();

// True when wrappers are to keep state.  After it real:: can be called, whatever it returned.
inline bool recording() {
    if (recording_state == Recording::unknown) [[unlikely]]
        return decide_recording();
    return recording_state == Recording::on;
}
// From now on this process is left alone: a forked child, or one for which the settings say so.
void stop_recording();

// Has this process been restored from an image?  Ids and clocks that the program knows are not the kernel's then.
inline bool restored_process = false;

// Blocks every signal of the calling thread, ours too, for a stretch without waiting.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        const std::uint64_t all = ~0ull;
        system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), as_long(&before_), 8);
    }
    ~SignalsBlocked() { system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&before_), 0, 8); }
    SignalsBlocked(const SignalsBlocked &) = delete;
    SignalsBlocked &operator=(const SignalsBlocked &) = delete;
    std::uint64_t before() const { return before_; }

  private:
    std::uint64_t before_ = 0;
};

// A lock that a signal handler of the application may want, too: no handler runs while it is held.
class Locked {
  public:
    explicit Locked(Spin &spin) : spin_(spin) { spin_.lock(); }
    ~Locked() { spin_.unlock(); }
    Locked(const Locked &) = delete;
    Locked &operator=(const Locked &) = delete;

  private:
    SignalsBlocked blocked_;  // first: released last
    Spin &spin_;
};

// The first 64 bits of a sigset_t, which are all that the kernel knows; signal n is bit n - 1.
inline std::uint64_t to_bits(const sigset_t &set) { return set.__val[0]; }
inline sigset_t to_set(std::uint64_t bits) {
    sigset_t set{};
    set.__val[0] = bits;
    return set;
}
inline constexpr std::uint64_t signal_bit(int signal) { return 1ull << (signal - 1); }

// Id of the calling thread as the program knows it.
inline int program_thread_id() { return self.record ? self.record->id : static_cast<int>(sys::gettid()); }
// The kernel's id for a thread id that the program knows; the same number when it is none of ours.
int to_kernel_id(int program_id);
// The same for the id of this process (identity.cc), and for one that may be of a process or of a thread.
pid_t kernel_process(pid_t program_id);
pid_t kernel_task(pid_t program_id);

// What a wrapper returns for the result of a raw system call: sets errno on failure.
inline long as_result(long result) {
    if (!failed(result)) return result;
    errno = static_cast<int>(-result);
    return -1;
}

}  // namespace sckpt
