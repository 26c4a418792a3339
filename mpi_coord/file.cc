// Data representations of files.  Their conversion functions run inside calls on files, which decline checkpoints.
#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"

namespace sckpt::mpi {

extern "C" {

int PMPI_Register_datarep(const char *name, MPI_Datarep_conversion_function *read,
                          MPI_Datarep_conversion_function *write, MPI_Datarep_extent_function *extent,
                          void *extra_state) {
    Guard guard;
    const int error = lower.Register_datarep(name, read, write, extent, extra_state);
    if (error == MPI_SUCCESS) ++hold_counts[static_cast<int>(Hold::data_representation)];
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Register_datarep)

}  // namespace sckpt::mpi
