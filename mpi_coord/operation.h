// Operations made by the application.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// MPI_Op_create.  With `fortran`, a subroutine that gets the length and the datatype as Fortran integers; a record's
// fortran_function may also be set later, before the operation is used.  Returns an MPI error code.
int create_operation(MPI_User_function *function, int commutes, bool fortran, MPI_Op *result);

}  // namespace sckpt::mpi
