// /proc/self/exe names sckpt-restore in a restored process; the program gets its own path.
#pragma once

namespace sckpt {

// The program as it was first started; kept, not copied.
void set_self_executable(const char *path);

// In a restored process: the program's path if `path` is /proc/self/exe or /proc/PID/exe with the pid that the program
// knows.  Otherwise `path` itself.
const char *resolve_self_executable(const char *path);

}  // namespace sckpt
