// Point-to-point calls.  Standard sends count in sent[destination] when the lower half has accepted them, receives in
// received[source] when they complete: compared pair by pair, the counts tell what is still in the network at a cut.
#include "mpi_coord/p2p.h"

#include "mpi_coord/alias.h"

namespace sckpt::mpi {
namespace {

using Isend = int(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);

Isend *send_function(Mode mode) {
    switch (mode) {
        case Mode::buffered: return lower.Ibsend;
        case Mode::synchronous: return lower.Issend;
        case Mode::ready: return lower.Irsend;
        case Mode::standard: break;
    }
    return lower.Isend;
}

}  // namespace

void complete_from_drained(RequestRecord *record, DrainedMessage *message) {
    record->error = deliver_drained(message, record->buffer, record->count,
                                    real_of(handle_of(record->datatype)), &record->status);
    if (!record->persistent) record->real = real_of(MPI_REQUEST_NULL);
    record->complete = true;
    ++undelivered;
}

namespace {

// Sends that go on, and receives that are posted, in the lower half already: nobody can have missed the record, since a
// cut waits for this thread.
[[gnu::noinline]] RequestRecord *pending_send(MPI_Request real, Mode mode, const void *buffer, int count,
                                              MPI_Datatype type, int destination, int tag, CommRecord *about) {
    RequestRecord *record = take_request();
    describe(record, Operation::send, mode, buffer, count, type, destination, tag, about);
    record->real = real;
    record->active = true;
    note_send(record);
    return record;
}
[[gnu::always_inline]] inline RequestRecord *posted_receive(MPI_Request real, std::uint64_t order, void *buffer, int count,
                                                MPI_Datatype type, int source, int tag, CommRecord *about) {
    RequestRecord *record = take_request();
    describe(record, Operation::receive, Mode::standard, buffer, count, type, source, tag, about);
    record->real = real;
    record->order = order;
    record->active = true;
    return record;
}

// Begins it in the lower half, and counts it.
[[gnu::always_inline]] inline int send_now(Isend *function, const void *buffer, int count, MPI_Datatype type,
                                           int destination, int tag, MPI_Comm comm, MPI_Request *real) {
    const int error = function(buffer, count, real_of(type), destination, tag, real_of(comm), real);
    if (error == MPI_SUCCESS) [[likely]]
        ++record_of(comm)->sent[destination];
    return error;
}

[[gnu::always_inline]] inline int begin_send(Isend *function, Mode mode, const void *buffer, int count,
                                             MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                                             RequestRecord **result) {
    MPI_Request real;
    const int error = send_now(function, buffer, count, type, destination, tag, comm, &real);
    if (error == MPI_SUCCESS)
        *result = pending_send(real, mode, buffer, count, type, destination, tag, record_of(comm));
    return error;
}

[[gnu::always_inline]] inline int begin_receive(void *buffer, int count, MPI_Datatype type, int source, int tag,
                                                MPI_Comm comm, RequestRecord **result) {
    CommRecord *const about = record_of(comm);
    if (about && about->drained) [[unlikely]]
        if (DrainedMessage *message = match_drained(about, source, tag)) {
            RequestRecord *record = posted_receive(nullptr, 0, buffer, count, type, source, tag, about);
            complete_from_drained(record, message);
            *result = record;
            return MPI_SUCCESS;
        }
    MPI_Request real;
    const int error = lower.Irecv(buffer, count, real_of(type), source, tag, real_of(comm), &real);
    if (error == MPI_SUCCESS)
        *result = posted_receive(real, next_posting(), buffer, count, type, source, tag, about);
    return error;
}

}  // namespace

int start_send(Mode mode, const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
               RequestRecord **record) {
    return begin_send(send_function(mode), mode, buffer, count, type, destination, tag, comm, record);
}

int start_receive(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
                  RequestRecord **record) {
    return begin_receive(buffer, count, type, source, tag, comm, record);
}

namespace {

[[gnu::always_inline]] inline int blocking_send(Isend *function, Mode mode, const void *buffer, int count,
                                                MPI_Datatype type, int destination, int tag, MPI_Comm comm) {
    Guard guard;
    RequestRecord *record;
    const int error = begin_send(function, mode, buffer, count, type, destination, tag, comm, &record);
    if (error != MPI_SUCCESS) [[unlikely]]
        return error;
    return finish(record, MPI_STATUS_IGNORE);
}

[[gnu::noinline]] int send_anything(const void *buffer, int count, MPI_Datatype type, int destination, int tag,
                                    MPI_Comm comm) {
    return blocking_send(lower.Isend, Mode::standard, buffer, count, type, destination, tag, comm);
}

[[gnu::noinline]] int receive_anything(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm,
                                       MPI_Status *status) {
    RequestRecord *record;
    const int error = begin_receive(buffer, count, type, source, tag, comm, &record);
    return error == MPI_SUCCESS ? finish(record, status) : error;
}

[[gnu::always_inline]] inline int immediate_send(Isend *function, Mode mode, const void *buffer, int count,
                                                 MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                                                 MPI_Request *request) {
    Guard guard;
    MPI_Request real;
    const int error = send_now(function, buffer, count, type, destination, tag, comm, request ? &real : nullptr);
    if (error != MPI_SUCCESS) [[unlikely]]
        return error;
    CommRecord *const about = record_of(comm);
    *request = handle_of(real == completed_at_once.real && !numbers_sends(about)
                             ? &completed_at_once
                             : pending_send(real, mode, buffer, count, type, destination, tag, about));
    return error;
}

}  // namespace

extern "C" {

// MPI_Send and MPI_Recv go round the record of a request where they can (hints.h): the way from a message's arrival to the
// answer is the latency that programs feel.
int PMPI_Send(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm) {
    const DatatypeRecord *layout = record_of(type);
    CommRecord *const about = record_of(comm);
    if (layout && about && static_cast<unsigned>(count) <= layout->eager_count && !numbers_sends(about) &&
        enter_unnoticed()) [[likely]] {
        const int error = lower.Send(buffer, count, real_of(type), destination, tag, real_of(comm));
        if (error == MPI_SUCCESS) [[likely]]
            ++about->sent[destination];
        leave();
        return error;
    }
    return send_anything(buffer, count, type, destination, tag, comm);
}
int PMPI_Ssend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm) {
    return blocking_send(lower.Issend, Mode::synchronous, buffer, count, type, destination, tag, comm);
}
int PMPI_Rsend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm) {
    return blocking_send(lower.Irsend, Mode::ready, buffer, count, type, destination, tag, comm);
}
int PMPI_Bsend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm) {
    return blocking_send(lower.Ibsend, Mode::buffered, buffer, count, type, destination, tag, comm);
}

int PMPI_Isend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
               MPI_Request *request) {
    return immediate_send(lower.Isend, Mode::standard, buffer, count, type, destination, tag, comm, request);
}
int PMPI_Issend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                MPI_Request *request) {
    return immediate_send(lower.Issend, Mode::synchronous, buffer, count, type, destination, tag, comm, request);
}
int PMPI_Irsend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                MPI_Request *request) {
    return immediate_send(lower.Irsend, Mode::ready, buffer, count, type, destination, tag, comm, request);
}
int PMPI_Ibsend(const void *buffer, int count, MPI_Datatype type, int destination, int tag, MPI_Comm comm,
                MPI_Request *request) {
    return immediate_send(lower.Ibsend, Mode::buffered, buffer, count, type, destination, tag, comm, request);
}

int PMPI_Recv(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm, MPI_Status *status) {
    Guard guard;
    CommRecord *const about = record_of(comm);
    if (source < 0 || !about || about->drained) return receive_anything(buffer, count, type, source, tag, comm, status);
    MPI_Request real;
    int error = lower.Irecv(buffer, count, real_of(type), source, tag, real_of(comm), &real);
    if (error != MPI_SUCCESS) [[unlikely]]
        return error;
    const std::uint64_t order = next_posting();
    give_back();
    if (complete_soon(real)) [[likely]] {
        if (!ended(real, status)) error = lower.Wait(&real, status);
        ++about->received[source];
        return error;
    }
    return finish_later(posted_receive(real, order, buffer, count, type, source, tag, about), status);
}

int PMPI_Irecv(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm, MPI_Request *request) {
    Guard guard;
    if (!request) [[unlikely]]
        return lower.Irecv(buffer, count, real_of(type), source, tag, real_of(comm), nullptr);
    RequestRecord *record;
    const int error = begin_receive(buffer, count, type, source, tag, comm, &record);
    if (error == MPI_SUCCESS) *request = handle_of(record);
    return error;
}

int PMPI_Sendrecv(const void *send_buffer, int send_count, MPI_Datatype send_type, int destination, int send_tag,
                  void *receive_buffer, int receive_count, MPI_Datatype receive_type, int source, int receive_tag,
                  MPI_Comm comm, MPI_Status *status) {
    Guard guard;
    RequestRecord *receive, *send;
    int error = start_receive(receive_buffer, receive_count, receive_type, source, receive_tag, comm, &receive);
    if (error != MPI_SUCCESS) return error;
    error = start_send(Mode::standard, send_buffer, send_count, send_type, destination, send_tag, comm, &send);
    if (error != MPI_SUCCESS) {
        auto real = static_cast<MPI_Request>(receive->real);
        lower.Cancel(&real);
        finish(receive, MPI_STATUS_IGNORE);
        return error;
    }
    const int sent = finish(send, MPI_STATUS_IGNORE);
    const int received = finish(receive, status);
    return sent != MPI_SUCCESS ? sent : received;
}

int PMPI_Sendrecv_replace(void *buffer, int count, MPI_Datatype type, int destination, int send_tag, int source,
                          int receive_tag, MPI_Comm comm, MPI_Status *status) {
    Guard guard;
    int size = 0, position = 0;
    int error = lower.Pack_size(count, real_of(type), real_of(comm), &size);
    if (error != MPI_SUCCESS) return error;
    std::vector<char> packed(static_cast<size_t>(size));
    error = lower.Pack(buffer, count, real_of(type), packed.data(), size, &position, real_of(comm));
    if (error != MPI_SUCCESS) return error;
    RequestRecord *receive, *send;
    error = start_receive(buffer, count, type, source, receive_tag, comm, &receive);
    if (error != MPI_SUCCESS) return error;
    error = start_send(Mode::standard, packed.data(), position, MPI_PACKED, destination, send_tag, comm, &send);
    if (error != MPI_SUCCESS) {
        auto real = static_cast<MPI_Request>(receive->real);
        lower.Cancel(&real);
        finish(receive, MPI_STATUS_IGNORE);
        return error;
    }
    const int sent = finish(send, MPI_STATUS_IGNORE);
    const int received = finish(receive, status);
    return sent != MPI_SUCCESS ? sent : received;
}

}  // extern "C"

SCKPT_ALIAS(Send)
SCKPT_ALIAS(Ssend)
SCKPT_ALIAS(Rsend)
SCKPT_ALIAS(Bsend)
SCKPT_ALIAS(Isend)
SCKPT_ALIAS(Issend)
SCKPT_ALIAS(Irsend)
SCKPT_ALIAS(Ibsend)
SCKPT_ALIAS(Recv)
SCKPT_ALIAS(Irecv)
SCKPT_ALIAS(Sendrecv)
SCKPT_ALIAS(Sendrecv_replace)
}  // namespace sckpt::mpi
