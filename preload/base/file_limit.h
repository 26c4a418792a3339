// A write of ours beyond the limit of a file's size (RLIMIT_FSIZE) must fail with EFBIG and nothing more: SIGXFSZ,
// which comes with it, ends a program that has done nothing wrong.
#pragma once

#include <signal.h>

#include "preload/base/system.h"

namespace sckpt {

// While it lives, the calling thread's SIGXFSZ is held back; at its end, one that came meanwhile is dropped.
class WithinFileLimit {
  public:
    WithinFileLimit() {
        std::uint64_t pending = 0;
        system_call(SYS_rt_sigprocmask, SIG_BLOCK, as_long(&kBit), as_long(&before_), sizeof before_);
        system_call(SYS_rt_sigpending, as_long(&pending), sizeof pending);
        was_pending_ = pending & kBit;
    }
    ~WithinFileLimit() {
        constexpr std::int64_t kAtOnce[2] = {0, 0};
        if (!was_pending_) system_call(SYS_rt_sigtimedwait, as_long(&kBit), 0, as_long(&kAtOnce), sizeof kBit);
        system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&before_), 0, sizeof before_);
    }
    WithinFileLimit(const WithinFileLimit &) = delete;
    WithinFileLimit &operator=(const WithinFileLimit &) = delete;

  private:
    static constexpr std::uint64_t kBit = std::uint64_t{1} << (SIGXFSZ - 1);
    std::uint64_t before_ = 0;
    bool was_pending_ = false;
};

}  // namespace sckpt
