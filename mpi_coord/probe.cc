// Probes and matched messages.  What was taken off the network at a cut is older than anything the lower half holds, so
// it is looked at first.
#include "mpi_coord/alias.h"
#include "mpi_coord/p2p.h"

namespace sckpt::mpi {
namespace {

int probe_now(int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status) {
    CommRecord *about = record_of(comm);
    if (about && about->drained) [[unlikely]]
        if (const DrainedMessage *message = match_drained(about, source, tag)) {
            *flag = 1;
            if (status != MPI_STATUS_IGNORE) status_of(message, status);
            return MPI_SUCCESS;
        }
    return lower.Iprobe(source, tag, real_of(comm), flag, status);
}

int match_now(int source, int tag, MPI_Comm comm, int *flag, MPI_Message *message, MPI_Status *status) {
    CommRecord *about = record_of(comm);
    if (about && about->drained) [[unlikely]]
        if (DrainedMessage *found = match_drained(about, source, tag)) {
            unlink_drained(found);
            *flag = 1;
            if (status != MPI_STATUS_IGNORE) status_of(found, status);
            auto *record = new MessageRecord;
            record->kind = Kind::Message;
            record->real = real_of(MPI_MESSAGE_NULL);
            record->comm = about;
            record->drained = found;
            enlist(record);
            *message = handle_of(record);
            return MPI_SUCCESS;
        }
    MPI_Status own;
    MPI_Status *result = status == MPI_STATUS_IGNORE ? &own : status;
    MPI_Message real;
    const int error = lower.Improbe(source, tag, real_of(comm), flag, &real, result);
    if (error == MPI_SUCCESS && *flag) {
        MessageRecord *record = wrap<Kind::Message>(real);
        if (!record->predefined) {
            record->comm = about;
            record->status = *result;
        }
        *message = handle_of(record);
    }
    return error;
}

// The receive of a message in hand, as an active request.
int begin_matched(void *buffer, int count, MPI_Datatype type, MPI_Message *message, RequestRecord **result) {
    MessageRecord *record = message ? record_of(*message) : nullptr;
    MPI_Message real = record ? static_cast<MPI_Message>(record->real) : nullptr;
    RequestRecord *request = take_request();
    describe(request, Operation::receive, Mode::standard, buffer, count, type, MPI_PROC_NULL, MPI_ANY_TAG,
             record && !record->predefined ? record->comm : record_of(MPI_COMM_SELF));
    if (record && record->drained) {
        complete_from_drained(request, record->drained);
    } else {
        const int error = lower.Imrecv(buffer, count, real_of(type), message ? &real : nullptr,
                                       reinterpret_cast<MPI_Request *>(&request->real));
        if (error != MPI_SUCCESS) {
            give_request(request);
            return error;
        }
        if (!record->predefined) request->peer = record->status.MPI_SOURCE;
    }
    request->active = true;
    *message = MPI_MESSAGE_NULL;
    if (!record->predefined) {
        delist(record);
        delete record;
    }
    *result = request;
    return MPI_SUCCESS;
}

}  // namespace

extern "C" {

int PMPI_Iprobe(int source, int tag, MPI_Comm comm, int *flag, MPI_Status *status) {
    Guard guard;
    const int error = probe_now(source, tag, comm, flag, status);
    if (attention.load(std::memory_order_relaxed) && error == MPI_SUCCESS && !*flag) [[unlikely]] {
        Peers peers;
        peers.add(record_of(comm), source);
        serve_waiting(peers);
    }
    return error;
}

int PMPI_Probe(int source, int tag, MPI_Comm comm, MPI_Status *status) {
    Guard guard;
    int error = MPI_SUCCESS, flag = 0;
    wait_until(
        [&] {
            error = probe_now(source, tag, comm, &flag, status);
            return flag || error != MPI_SUCCESS;
        },
        [&](Peers &peers) { peers.add(record_of(comm), source); });
    return error;
}

int PMPI_Improbe(int source, int tag, MPI_Comm comm, int *flag, MPI_Message *message, MPI_Status *status) {
    Guard guard;
    const int error = match_now(source, tag, comm, flag, message, status);
    if (attention.load(std::memory_order_relaxed) && error == MPI_SUCCESS && !*flag) [[unlikely]] {
        Peers peers;
        peers.add(record_of(comm), source);
        serve_waiting(peers);
    }
    return error;
}

int PMPI_Mprobe(int source, int tag, MPI_Comm comm, MPI_Message *message, MPI_Status *status) {
    Guard guard;
    int error = MPI_SUCCESS, flag = 0;
    wait_until(
        [&] {
            error = match_now(source, tag, comm, &flag, message, status);
            return flag || error != MPI_SUCCESS;
        },
        [&](Peers &peers) { peers.add(record_of(comm), source); });
    return error;
}

int PMPI_Imrecv(void *buffer, int count, MPI_Datatype type, MPI_Message *message, MPI_Request *request) {
    Guard guard;
    RequestRecord *record;
    const int error = begin_matched(buffer, count, type, message, &record);
    if (error == MPI_SUCCESS) *request = handle_of(record);
    return error;
}

int PMPI_Mrecv(void *buffer, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status) {
    Guard guard;
    RequestRecord *record;
    const int error = begin_matched(buffer, count, type, message, &record);
    return error == MPI_SUCCESS ? finish(record, status) : error;
}

}  // extern "C"

SCKPT_ALIAS(Iprobe)
SCKPT_ALIAS(Probe)
SCKPT_ALIAS(Improbe)
SCKPT_ALIAS(Mprobe)
SCKPT_ALIAS(Imrecv)
SCKPT_ALIAS(Mrecv)

}  // namespace sckpt::mpi
