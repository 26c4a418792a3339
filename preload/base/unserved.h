// Tasks whose program runs without checkpoints, though the step asks for them: the user is told once, and `sckpt
// create` is answered.  Told by whoever knows: the plugin before it starts a program that cannot be intercepted, the
// interceptor before it makes way.
//
// Files in the step's directory of the incarnation: "unserved" says that the user has been told;
// "unserved.<rank>", as long as such a program is the one that the task runs, holds the sentence.  Nothing here
// allocates or takes a lock: the child of a vfork may tell.
#pragma once

namespace sckpt::base {

inline constexpr char kUnserved[] = "unserved";

// Keeps the sentence for `sckpt create`.  True for the first of the step: the caller tells the user.
bool note_unserved(const char *incarnation_directory, int rank, const char *sentence);

// The task has started another program, for which this does not hold.
void forget_unserved(const char *incarnation_directory, int rank);

}  // namespace sckpt::base
