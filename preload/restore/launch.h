// The point of no return: this process becomes the recorded one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "preload/restore/plan.h"
#include "preload/restore/request.h"

namespace sckpt::restore {

/// Copies the restorer with its orders into a range that neither the image nor this process uses, gives up what the
/// C library registered with the kernel, closes every descriptor above 2 and jumps.  Returns only when that was not
/// possible, with the reason; signals may then be blocked and descriptors closed, so the caller exits.
/// `environment` is that of the new process, as environ(7); `started_ns` is CLOCK_REALTIME when the restore began.
std::string launch(const Source &source, const Plan &plan, std::span<const VdsoMove> moves, const Request &request,
                   char **environment, std::int64_t started_ns);

}  // namespace sckpt::restore
