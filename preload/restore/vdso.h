// A kernel whose vdso is not the recorded one.  The C library keeps addresses of functions inside the vdso, and a
// thread may have been stopped in it, so the recorded code is mapped where it was, as plain memory from the image. What
// it cannot have is its data, which the kernel that wrote it knows alone: the pages read as zeros.  To the code that
// means that there is no clock to be read without the kernel, so a call that was under way goes to the kernel instead;
// all later ones do so at once, since the functions begin with a system call from now on.  (A few functions look at the
// data without asking for the clock: of those a call that was under way can return a zero.)  They cost what a system
// call costs; the next checkpoint of such a process holds that code as plain memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "preload/restore/plan.h"
#include "preload/restore/source.h"

namespace sckpt::restore {

/// The code of the recorded [vdso], read from the rank file; empty when the process had none.  The error is a sentence.
std::expected<std::vector<std::byte>, std::string> recorded_vdso(const Source &source);

/// Offsets into `code`, the ELF image of a vdso, with 8 bytes each to be written there.  A sentence when it is none, or
/// has a function that no system call stands in for.
std::expected<std::vector<VdsoPatch>, std::string> patch_vdso(std::span<const std::byte> code);

}  // namespace sckpt::restore
