// A memory barrier in all threads of the process at once, for the rare side of a pair whose frequent side then needs
// only to keep the compiler from reordering (membarrier(2), PRIVATE_EXPEDITED).
#pragma once

#include <linux/membarrier.h>

#include <atomic>

#include "preload/base/system.h"

namespace sckpt {

// After it the calling thread sees every store that another thread has made before its next load.  Async-signal-safe.
inline void barrier_in_all_threads() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED) >= 0) return;
    // Once in each process, a restored one too.
    system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    if (system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED) >= 0) return;
    system_call(SYS_membarrier, MEMBARRIER_CMD_GLOBAL);
}

}  // namespace sckpt
