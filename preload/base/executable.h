// Programs that the dynamic loader does not put the interceptor into.  Nothing here allocates, throws or takes a lock:
// the child of a vfork may ask.
#pragma once

#include <limits.h>

namespace sckpt::base {

// The file that execvpe(3) would execute for name: itself when it has a slash, else the first executable regular file
// in `search`, the value of PATH.  False: none.
bool find_executable(const char *name, const char *search, char (&found)[PATH_MAX]);

// Why LD_PRELOAD has no effect on the program: "is statically linked", "is a 32-bit program", "has the set-user-ID or
// set-group-ID bit", "has file capabilities" (ld.so(8), secure-execution mode).  Null: it has, or the file is a
// script, or cannot be read: then it is not for us to judge.  Call it as the user who will execute the file.
const char *why_not_intercepted(const char *file);

}  // namespace sckpt::base
