// Mutexes that the kernel knows by the id of their owner: robust ones, and those with priority inheritance or protection.
#pragma once

namespace sckpt {

// A sentence when more of them are in use than can be followed.
const char *blocker_mutexes();
// In a restored process, once all threads exist again and before any goes on: who holds one is its owner by the new id.
void restore_mutex_owners();

}  // namespace sckpt
