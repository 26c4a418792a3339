// A program to be brought back, for the tests: ordinary C++ with memory of every kind in a known state.
#pragma once

#include <cstdint>

#include "preload/base/context.h"

namespace sckpt::restore::testing {

/// What the victim tells about itself, written to a pipe once it is ready to be recorded.
struct Mail {
    Context resume;
    std::uint64_t handover;
    std::uint64_t fs_base;
    std::uint64_t brk;
};

/// Prepares memory, writes a Mail to `mailbox` and waits to be killed.  When it is brought back it checks everything
/// and exits with 0; else it writes the names of failed checks to standard error and exits with 1.
/// `directory` is writable; the victim makes its files `data` and `shared` there.
[[noreturn]] void run_victim(int mailbox, const char *directory);

}  // namespace sckpt::restore::testing
