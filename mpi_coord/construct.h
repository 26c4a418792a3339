// What all collective constructors of communicators have in common.
#pragma once

#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/errhandler.h"

namespace sckpt::mpi {

// constructor(MPI_Comm *real) -> MPI error code, called when this rank may enter the next collective of `parent`.
template <class Constructor>
int construct(CommRecord *parent, MPI_Comm *result, const char *name, Constructor constructor) {
    MPI_Comm real = nullptr;
    const int error = [&] {
        const Inside inside(parent);
        return constructor(&real);
    }();
    if (error != MPI_SUCCESS) return error;
    *result = adopt_communicator(real, next_child_id(parent), name);
    inherit_errhandler(parent, record_of(*result));
    return error;
}

}  // namespace sckpt::mpi
