// MPI_Alloc_mem from the upper half: what the application keeps there is then in every image.  The info argument gives
// hints only, and none of them means anything here.
#include <stdlib.h>
#include <unistd.h>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"

namespace sckpt::mpi {
namespace {

int fail(int error) {
    lower.Comm_call_errhandler(real_of(MPI_COMM_WORLD), error);
    return error;
}

}  // namespace

extern "C" {

int PMPI_Alloc_mem(MPI_Aint size, MPI_Info info, void *result) {
    Guard guard;
    if (size < 0 || !result) return fail(MPI_ERR_ARG);
    if (!info) return fail(MPI_ERR_INFO);
    void *memory = nullptr;
    // Page-aligned, as windows and transfers without copies want it.
    if (size > 0 && posix_memalign(&memory, static_cast<size_t>(sysconf(_SC_PAGESIZE)), static_cast<size_t>(size)) != 0)
        return fail(MPI_ERR_NO_MEM);
    *static_cast<void **>(result) = memory;
    return MPI_SUCCESS;
}

int PMPI_Free_mem(void *memory) {
    Guard guard;
    free(memory);
    return MPI_SUCCESS;
}

}  // extern "C"

SCKPT_ALIAS(Alloc_mem)
SCKPT_ALIAS(Free_mem)

}  // namespace sckpt::mpi
