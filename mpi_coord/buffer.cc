// The buffer of MPI_Bsend.  It is the application's memory; at a cut all messages have left it, so that after a restart
// it is attached again and that is all.
#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

struct {
    void *address = nullptr;
    int size = 0;  // bytes
    bool attached = false;
} buffer;

}  // namespace

void rebuild_buffer() {
    if (!buffer.attached) return;
    if (const int error = lower.Buffer_attach(buffer.address, buffer.size); error != MPI_SUCCESS)
        die("cannot attach the buffer for MPI_Bsend again: MPI error %d", error);
}

extern "C" {

int PMPI_Buffer_attach(void *address, int size) {
    Guard guard;
    const int error = lower.Buffer_attach(address, size);
    if (error == MPI_SUCCESS) buffer = {address, size, true};
    return error;
}

// Blocks until all messages have left the buffer, which nothing can interrupt.
int PMPI_Buffer_detach(void *address, int *size) {
    Guard guard;
    if (attention.load(std::memory_order_relaxed) & kSettling) abandon_epoch_for("MPI_Buffer_detach was called");
    const int error = lower.Buffer_detach(address, size);
    if (error == MPI_SUCCESS) buffer = {};
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Buffer_attach)
SCKPT_ALIAS(Buffer_detach)

}  // namespace sckpt::mpi
