// Programs that have to run as if we had never been there: what the user and `sckpt create` are told, and how we go.
#pragma once

#include <cstddef>
#include <vector>

namespace sckpt {

// At the start of an active process: what tell_unserved() needs later, maybe in the child of a vfork.
void note_where_to_tell();
// The sentence reaches the user once in a step, the log, and `sckpt create`.  Allocates nothing.
void tell_unserved(const char *sentence);
// A program begins in this task that is served: what was told holds no more.
void nothing_unserved();

// "LD_PRELOAD=..." again, with `ours` at its end and no other libsckpt.so; without any when `ours` is empty.  Allocates
// nothing: into as many bytes as room_for_preload() says.
size_t room_for_preload(const char *variable, const char *ours);
void write_preload(const char *variable, const char *ours, char *into);

// The environment without us: LD_PRELOAD without libsckpt.so, and without what switches us on.  A null pointer is last;
// what is not the caller's is never freed.
std::vector<char *> environment_without_us(char *const *variables);

// The program begins again without us.  Nothing of MPI has happened in it yet, and before MPI_Init a program should do
// little (MPI-3.1, 8.7).  The reason is completed by ": running without checkpoints".
[[noreturn]] void run_without_us(const char *reason);

// Why a program with a runtime of its own cannot be served, as run_without_us() takes it, or null.
const char *alien_runtime();

}  // namespace sckpt
