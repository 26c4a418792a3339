// What the kernel keeps for each thread and a re-created one would not have: processors, policy, nice value, timer slack;
// and the CPU time that it has used, which goes on from the cut.
#pragma once

#include "preload/base/thread.h"

namespace sckpt {

// Once, at start, in the main thread: what the launcher gave to this incarnation.
void note_first_scheduling();
// By the thread itself, at the cut.
void note_kernel_side(KernelSide &kernel);
// In a restored process, before other threads are made.
void begin_scheduling_again();
// By each re-created thread, for itself, once nothing is cloned from it any more.  What the launcher gave to the earlier
// incarnation becomes what it gave to this one; processors are translated by their place among those of the launcher.
void restore_kernel_side(KernelSide &kernel);
// Only the part of it that is about CPU time.
void restore_cpu_time(KernelSide &kernel);

}  // namespace sckpt
