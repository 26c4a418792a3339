// Persistent requests: the lower half's own, made again from the recorded arguments at a restart (rebuild.cc).
#include <optional>

#include "mpi_coord/alias.h"
#include "mpi_coord/p2p.h"

namespace sckpt::mpi {
namespace {

template <class Function, class Buffer>
int make(Function function, Operation operation, Mode mode, Buffer buffer, int count, MPI_Datatype type, int peer,
         int tag, MPI_Comm comm, MPI_Request *request) {
    Guard guard;
    if (!request) return function(buffer, count, real_of(type), peer, tag, real_of(comm), nullptr);
    RequestRecord *record = take_request();
    describe(record, operation, mode, buffer, count, type, peer, tag, record_of(comm));
    const int error = function(buffer, count, real_of(type), peer, tag, real_of(comm),
                               reinterpret_cast<MPI_Request *>(&record->real));
    if (error != MPI_SUCCESS) {
        give_request(record);
        return error;
    }
    record->persistent = true;
    *request = handle_of(record);
    return error;
}

// MPI_Start on a request that may be anything the application passes.
int start(MPI_Request *request) {
    RequestRecord *record = request ? record_of(*request) : nullptr;
    const bool ours = record && record->persistent && !record->active;
    if (ours && record->operation == Operation::receive && record->comm->drained)
        if (DrainedMessage *message = match_drained(record->comm, record->peer, record->tag)) {
            complete_from_drained(record, message);
            record->active = true;
            return MPI_SUCCESS;
        }
    std::optional<Inside> inside;
    if (ours && record->operation == Operation::collective) inside.emplace(record->comm);
    MPI_Request real = record ? static_cast<MPI_Request>(record->real) : nullptr;  // as it is behind the gate
    const int error = lower.Start(request ? &real : nullptr);
    inside.reset();
    if (error != MPI_SUCCESS || !ours) return error;
    record->real = real;
    record->active = true;
    if (record->operation == Operation::send) {
        ++record->comm->sent[record->peer];
        note_send(record);
    }
    if (record->operation == Operation::receive) record->order = next_posting();
    return error;
}

}  // namespace

extern "C" {

int PMPI_Send_init(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                   MPI_Request *request) {
    return make(lower.Send_init, Operation::send, Mode::standard, buffer, count, type, destination, tag, comm, request);
}
int PMPI_Bsend_init(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                    MPI_Request *request) {
    return make(lower.Bsend_init, Operation::send, Mode::buffered, buffer, count, type, destination, tag, comm,
                request);
}
int PMPI_Ssend_init(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                    MPI_Request *request) {
    return make(lower.Ssend_init, Operation::send, Mode::synchronous, buffer, count, type, destination, tag, comm,
                request);
}
int PMPI_Rsend_init(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                    MPI_Request *request) {
    return make(lower.Rsend_init, Operation::send, Mode::ready, buffer, count, type, destination, tag, comm, request);
}
int PMPI_Recv_init(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
                   MPI_Request *request) {
    return make(lower.Recv_init, Operation::receive, Mode::standard, buffer, count, type, source, tag, comm, request);
}

int PMPI_Start(MPI_Request *request) {
    Guard guard;
    return start(request);
}

int PMPI_Startall(int count, MPI_Request *requests) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Startall(count, requests);
    for (int i = 0; i < count; ++i)
        if (const int error = start(&requests[i]); error != MPI_SUCCESS) return error;
    return MPI_SUCCESS;
}

}  // extern "C"

SCKPT_ALIAS(Send_init)
SCKPT_ALIAS(Bsend_init)
SCKPT_ALIAS(Ssend_init)
SCKPT_ALIAS(Rsend_init)
SCKPT_ALIAS(Recv_init)
SCKPT_ALIAS(Start)
SCKPT_ALIAS(Startall)

}  // namespace sckpt::mpi
