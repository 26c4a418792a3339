// A place to come back to, in this process or in a restored copy of it.
#pragma once

#include <cstdint>

namespace sckpt {

/// Registers that a function must preserve (System V ABI, x86-64), and where to go on.  Same layout as
/// image::Context, which `base` may not include; preload/restore asserts that they agree.
struct Context {
    std::uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
    std::uint32_t mxcsr;
    std::uint16_t x87_control;
    std::uint16_t reserved;
};

}  // namespace sckpt

extern "C" {

/// Stores the caller's registers in *context and returns 0.  Returns a second time, with 1, when the restorer (or
/// sckpt_resume_context) loads the context: the calling function must not have returned in between.  Floating-point
/// control words are part of it, vector registers and the signal mask are not.  Takes no lock, never fails.
int sckpt_save_context(sckpt::Context *context) noexcept __attribute__((returns_twice));

/// Loads *context: sckpt_save_context() returns 1 where it was called.  The frame of that call must be intact.
[[noreturn]] void sckpt_resume_context(const sckpt::Context *context) noexcept;
}
