// Threads of the application: how they begin and how they end.
#pragma once

namespace sckpt {

// Once, at start.
void prepare_threads();
// The main thread gets its record; others get theirs in our pthread_create().
void register_main_thread();

// The program has ended its main thread (pthread_exit(3)) and goes on in others.
bool main_has_ended();

}  // namespace sckpt
