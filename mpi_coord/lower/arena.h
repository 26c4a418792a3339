// The arena as the lower half's own code sees it.
#pragma once

#include <sched.h>

#include "mpi_coord/lower/abi.h"
#include "preload/base/system.h"

namespace sckpt::lower {

inline sckpt_arena *arena() { return reinterpret_cast<sckpt_arena *>(SCKPT_ARENA); }

struct Locked {
    Locked() {
        while (__atomic_exchange_n(&arena()->lock, 1, __ATOMIC_ACQUIRE)) sys::yield();
    }
    ~Locked() { __atomic_store_n(&arena()->lock, 0, __ATOMIC_RELEASE); }
};

// Descriptors that the lower half opened: all others are the application's.
inline int mark_open(long fd) {
    if (fd >= 0 && fd < kLowerDescriptors) __atomic_or_fetch(&arena()->descriptors[fd / 8], 1 << fd % 8, __ATOMIC_RELAXED);
    return static_cast<int>(fd);
}
inline void mark_closed(long fd) {
    if (fd >= 0 && fd < kLowerDescriptors)
        __atomic_and_fetch(&arena()->descriptors[fd / 8], ~(1 << fd % 8), __ATOMIC_RELAXED);
}

extern thread_local int loading [[gnu::tls_model("initial-exec")]];

}  // namespace sckpt::lower
