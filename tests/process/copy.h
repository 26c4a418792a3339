// A stand-in for a restart: a raw copy of the calling process with its memory, but without what the kernel keeps for
// it.
#pragma once

#include <functional>
#include <string>

#include "preload/resources.h"

namespace testing_process {

/// Runs `check` in a copy of this process as a restored one finds itself: descriptors above 2 closed, every signal
/// blocked with its default action, no timers, one thread, another id.  What the copy says comes back: empty when all
/// is as it should be; "ended by signal N" when it did not get to its end.
std::string in_restored_copy(const std::function<std::string()> &check);

/// The sentence of a failed restore, empty when it went well.
inline std::string why(const sckpt::Restored &result) { return result ? std::string() : result.error() + "\n"; }

/// "what: got, should be wanted" unless they are equal, each on a line of its own.
template <class Got, class Wanted>
std::string differs(const char *what, const Got &got, const Wanted &wanted) {
    if (got == static_cast<Got>(wanted)) return {};
    return std::string(what) + ": " + std::to_string(got) + ", should be " + std::to_string(wanted) + "\n";
}

}  // namespace testing_process
