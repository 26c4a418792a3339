// Functions of MPI that a program asks for by name.
#pragma once

namespace sckpt::mpi {

// dlsym with a handle, for us: what that library has, also where the program would be given ours.
void *symbol_in(void *library, const char *name);

}  // namespace sckpt::mpi
