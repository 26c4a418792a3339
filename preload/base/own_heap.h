// A heap of libsckpt.so's own.  From STOP to the snapshot, and at a restart until the threads are released, a parked
// application thread may hold any lock of the base libc's malloc, so nothing of ours may call it.  operator new and
// delete of libsckpt.so come here, which makes the standard containers usable at any phase.  The heap's lock is never
// held by a parked thread: it is taken inside wrappers only, and a thread is not parked while inside one of ours.
// The pages are ordinary private memory of the upper half: they are in every image.
#pragma once

#include <cstddef>

namespace sckpt {

// Never returns null: running out of memory ends in an assertion, as nothing sensible is left to do.
// The result is aligned to 16 bytes; memory from own_allocate(n >= 4096 KiB) is page-aligned minus a header.
void *own_allocate(std::size_t size);
void own_free(void *memory) noexcept;

// Bytes in mappings of the heap.  While it does not change, no mapping has come or gone.
std::size_t own_heap_bytes();

// Makes sure that small allocations of together `size` bytes, at most half a MiB, need no new mapping.
void own_reserve(std::size_t size);

// Whether the system would give `size` bytes more at present: to be asked before much is allocated of which a failure
// has to be survived.
bool own_room(std::size_t size);

}  // namespace sckpt
