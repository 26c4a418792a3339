// What the C++ bindings (libmpi_cxx) need of libmpi.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// Calls a function of MPI::Comm::Create_errhandler and its like; `handle` points to the application's handle.
void call_cxx_errhandler(Kind kind, void *handle, int *error, const char *message, void (*function)());

// What the lower half is to have for an error handler of the application: the live handle, except for
// MPI::ERRORS_THROW_EXCEPTIONS.
MPI_Errhandler real_errhandler(MPI_Errhandler handler);

}  // namespace sckpt::mpi
