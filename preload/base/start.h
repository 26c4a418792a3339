// Start of the library in a process.
#pragma once

namespace sckpt {

// What the constructor does.  Constructors of other libraries may come first and call MPI (libmpi_cxx does): whatever
// they may call begins with this.
void start_once();

}  // namespace sckpt
