// Programs that the dynamic loader does not put the interceptor into.
#pragma once

#include <optional>
#include <string>

#include "spank_plugin/settings.h"

namespace sckpt::plugin {

// The file that execvpe(3) would execute for name: itself when it has a slash, else the first executable regular file
// in path (the task's PATH).  nullopt: none.
std::optional<std::string> find_executable(const std::string &name, const std::string &path);

// Why LD_PRELOAD has no effect on the program: "is statically linked", "is a 32-bit program", "has the set-user-ID or
// set-group-ID bit", "has file capabilities" (ld.so(8), secure-execution mode).  nullopt: it has, or the file is a
// script, or cannot be read: then it is not for us to judge.  Call it as the user who will execute the file.
std::optional<std::string> why_not_intercepted(const std::string &file);

}  // namespace sckpt::plugin
