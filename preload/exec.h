// Calls that put another program into the place of this one.
#pragma once

namespace sckpt {

// From now on, in an active process, exec*() look at what they execute.
void watch_exec();

}  // namespace sckpt
