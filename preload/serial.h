// Tasks that do not call MPI: each is a rank of its own, and all tasks of the step are committed together.  Where there
// is one task only nothing has to be agreed upon.
#pragma once

#include <cstdint>

namespace sckpt {

// In the constructor: takes requests from now on, if the program is not linked with MPI and is no shell.  False: not
// so.
bool start_serial();
// The process is served here: it has been started as above and has not called MPI since.
bool is_serial();
// MPI has been initialised: from now on requests are MPI's, the one that is being served too.
void leave_serial();

// A checkpoint is wanted (mpi::Cause).  Async-signal-safe.
void request_serial(std::uint32_t cause);
// Another task may be waiting for this one.
void look_for_meeting();
// Is there anything to do for serve_serial()?
bool serial_wanted();
// One turn, in the main thread outside of code of ours.  `may_stop`: as in mpi::tick().
void serve_serial(bool may_stop);

class Meeting;
// The meeting that the stopped task is in.
Meeting &current_meeting();

}  // namespace sckpt
