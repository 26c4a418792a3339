// The lower half: the live MPI library, in a link-map namespace of its own (dlmopen).  Loading, the pristine copy of
// its data, and the reset that makes it as if it had just been loaded.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

struct sckpt_arena;

namespace sckpt::mpi {

// A writable stretch of a lower library's data, and the copy of it taken before MPI_Init.
struct Segment {
    char *start;
    std::uint64_t size;  // bytes
    char *copy;
};

// Loads libsckpt_lower.so from `directory` with every component it may use, and takes the pristine copies.  Once per
// process.  The error is a sentence.
std::expected<void, std::string> load_lower_half(const char *directory);
bool lower_half_loaded();

// Address of a symbol of the lower half, null when it has none.
void *lower_symbol(const char *name);

// True when the descriptor was opened by the lower half.
bool lower_owns_descriptor(int fd);

// Writable data of the lower half: mapped from file again at a restart, never stored.
std::span<const Segment> lower_segments();

// Environment of the lower half: NAME=value strings that stay valid, with ours added.  Ends with a null pointer.
// Before the lower half is loaded: the environment that it is to get then, the process's own otherwise.
void set_lower_environment(char **variables);

// To be called by every thread before it first enters the lower half: the lower libc's per-thread start.
void start_lower_thread();

// Restart, in this order.  reset_lower_memory: no lock, no allocation; drops the arena and puts pristine data back.
// reset_lower_thread: the same for the calling thread's TLS.  clear_lower_helpers: after all threads run again;
// joins the helper threads that did not survive and deletes thread keys made since the snapshot.
void reset_lower_memory();
void reset_lower_thread();
void clear_lower_helpers();

// Libraries that had to be loaded after the pristine snapshot: each is a gap in the preload list.
int late_libraries();

}  // namespace sckpt::mpi
