// Rank 0's verdict on a SIGTERM that none wants a checkpoint for, out of band.  The agreement tells it too, but a rank
// inside a blocking collective of the lower half hears no message, and those that it waits for may end by that very
// signal: it would be left to the SIGKILL that Slurm sends much later.  So it is also a small file in the directory of
// the incarnation, at which a rank that holds a SIGTERM back looks now and then.
#pragma once

#include <cstdint>

namespace sckpt {

// Where the file of this incarnation is; before the two below, which run in handlers and allocate nothing.
void place_verdict();

// In rank 0: whoever is in `epoch` of the agreement, or not yet in it, is to let its SIGTERM take its native course.
void publish_verdict(std::uint32_t epoch);

// The epoch that was published last, 0 for none.
std::uint32_t published_verdict();

}  // namespace sckpt
