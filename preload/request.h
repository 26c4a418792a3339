// REQUEST: what asks for a checkpoint (signals, the interval, the application), and the tick that drives the agreement
// in a thread that computes.
#pragma once

#include <cstdint>

namespace sckpt {

// Installs the handlers and makes the timers, in the thread that is to serve requests from now on.
void take_requests();
// The same, in the thread that initialises MPI.
void start_requests();
// The timers again, in a restored process.
void restart_requests();

// The periodic tick of SETTLE; a slower look at a writer in the background.
void set_tick(bool on);
void watch_writer(bool on);

// In a second: retry_termination() of terminate.h.
void retry_later();
// In a tenth of a second: a checkpoint for these causes (mpi::Cause) is asked for again.
void request_again(std::uint32_t cause);
// After so many milliseconds: follow_termination() of terminate.h.
void follow_later(int milliseconds);

// Each checkpoint begins the interval anew.
void restart_interval();

// What the rank that was asked by `sckpt create` writes into the log: the id of the request being served, 0 for none.
unsigned long served_request();
// Another task has told of this request: its own signal, coming later, asks for nothing.
void note_served_request(unsigned long id);

}  // namespace sckpt
