// The thread that serves requests, its timers and its room.
//
// At first it is the one that has begun to take requests: the main thread, or the one that has initialised MPI.  A
// program may end that thread and go on in others (pthread_exit(3)); then one of those serves.
#pragma once

#include <cstdint>

#include "preload/base/thread.h"

namespace sckpt {

enum TimerKind : int { kTick, kInterval, kWriter, kRetry, kFollow, kAgain, kTimers };

// The calling thread serves from now on.
void begin_serving();
// Null: nobody yet, or only threads are left that have not quite begun.
ThreadRecord *serving_thread();
// The calling thread, which has this record, is about to end.  What is wanted by then is told to the one that follows.
void pass_serving_on(const ThreadRecord *leaving);
// The calling thread has begun: takes over where nobody was left to.
void serve_if_nobody_does();

// All timers, for the serving thread; they bring the parking signal with their kind as its value.
void make_timers();
// In a restored process, before threads run: the numbers of the timers are another's by now.
void forget_timers();
// Nanoseconds; 0: off, or not periodic.  Async-signal-safe.
void set_timer(TimerKind kind, std::int64_t first, std::int64_t every);

// Calls function(argument) on a stack on which there is room for a checkpoint.  The main thread has that by itself;
// others may have little (pthread_attr_setstacksize(3)).
void call_with_room(void (*function)(void *), void *argument);
template <class Function>
void with_room(Function function) {
    call_with_room([](void *it) { (*static_cast<Function *>(it))(); }, &function);
}

}  // namespace sckpt
