// DRAIN: see drain.h.
//
// Every rank tells every other how many messages it has sent to it in all (one exchange of counts).  Then each receives
// what is missing: a message that meets a posted receive completes it; every other is probed for and received, as
// bytes, into the upper half.  Messages keep their order: a later receive looks at the drained ones first, oldest first.
// Nothing of this blocks, so ranks progress each other's sends; a barrier that can be polled ends it.
#include "mpi_coord/drain.h"

#include <climits>
#include <cstring>
#include <utility>

#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/complete.h"
#include "mpi_coord/control.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/synchronous.h"
#include "mpi_coord/win.h"
#include "preload/base/log.h"

namespace sckpt::mpi {

int undelivered = 0;

namespace {

DrainTotals totals;
// Counts of communicators that were freed, by world rank.
std::vector<std::uint64_t> retired_sent, retired_received;

void add_counts(const CommRecord *comm, std::vector<std::uint64_t> &sent, std::vector<std::uint64_t> &received) {
    if (!comm->info || comm->info->foreign) return;
    const auto &peers = comm->info->peers();
    for (size_t i = 0; i < peers.size(); ++i) {
        const size_t world = peers[i];
        if (world >= sent.size()) continue;
        sent[world] += comm->sent[i];
        received[world] += comm->received[i];
    }
}

void all_counts(std::vector<std::uint64_t> &sent, std::vector<std::uint64_t> &received) {
    const auto ranks = static_cast<size_t>(world_size());
    retired_sent.resize(ranks);
    retired_received.resize(ranks);
    sent = retired_sent;
    received = retired_received;
    add_counts(record_of(MPI_COMM_WORLD), sent, received);
    add_counts(record_of(MPI_COMM_SELF), sent, received);
    for_each_live<CommRecord>(Kind::Comm, [&](CommRecord *comm) { add_counts(comm, sent, received); });
}

// Beside a count that goes to every rank: the sender of it has synchronous sends that are not complete.
constexpr std::uint64_t kSynchronous = 1ull << 63;

// A type of `bytes` bytes, for messages longer than an int can count.
struct Bytes {
    MPI_Datatype type = real_of(MPI_BYTE);
    int count;
    explicit Bytes(std::int64_t bytes) : count(static_cast<int>(bytes)) {
        if (bytes <= INT_MAX) return;
        constexpr std::int64_t kPart = 1 << 30;
        MPI_Datatype part, parts;
        lower.Type_contiguous(kPart, real_of(MPI_BYTE), &part);
        lower.Type_contiguous(static_cast<int>(bytes / kPart), part, &parts);
        const int lengths[2] = {1, static_cast<int>(bytes % kPart)};
        const MPI_Aint places[2] = {0, bytes / kPart * kPart};
        const MPI_Datatype types[2] = {parts, real_of(MPI_BYTE)};
        lower.Type_create_struct(2, lengths, places, types, &type);
        lower.Type_commit(&type);
        lower.Type_free(&part);
        lower.Type_free(&parts);
        count = 1;
    }
    ~Bytes() {
        if (type != real_of(MPI_BYTE)) lower.Type_free(&type);
    }
};

DrainedMessage *receive_matched(CommRecord *comm, MPI_Message message, const MPI_Status &probed) {
    MPI_Count bytes = 0;
    lower.Get_elements_x(&probed, real_of(MPI_BYTE), &bytes);
    auto *drained = new DrainedMessage;
    drained->comm = comm;
    drained->source = probed.MPI_SOURCE;
    drained->tag = probed.MPI_TAG;
    drained->bytes = bytes;
    drained->data = new char[static_cast<size_t>(bytes) + 1];
    const Bytes whole(bytes);
    lower.Mrecv(drained->data, whole.count, whole.type, &message, MPI_STATUS_IGNORE);
    ++comm->received[drained->source];
    ++totals.messages;
    totals.bytes += static_cast<std::uint64_t>(bytes);
    return drained;
}

void append_drained(DrainedMessage *message) {
    DrainedMessage **end = &message->comm->drained;
    while (*end) end = &(*end)->next;
    *end = message;
}

bool take_unexpected(CommRecord *comm) {
    if (!comm->info || comm->info->foreign || comm->real == real_of(MPI_COMM_NULL)) return false;
    int found = 0;
    MPI_Message message;
    MPI_Status status;
    lower.Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, static_cast<MPI_Comm>(comm->real), &found, &message, &status);
    if (found) append_drained(receive_matched(comm, message, status));
    return found != 0;
}

// Completes the request in the lower half without calling the application's error handler: that is for the call that
// reports it.
void take_completion(RequestRecord *record, const MPI_Status &status) {
    auto real = static_cast<MPI_Request>(record->real);
    const MPI_Comm comm = real_of(handle_of(record->comm));
    MPI_Errhandler handler = nullptr;
    if (status.MPI_ERROR != MPI_SUCCESS) {
        lower.Comm_get_errhandler(comm, &handler);
        lower.Comm_set_errhandler(comm, real_of(MPI_ERRORS_RETURN));
    }
    int done = 0;
    record->error = lower.Test(&real, &done, &record->status);
    if (handler) {
        lower.Comm_set_errhandler(comm, handler);
        lower.Errhandler_free(&handler);
    }
    record->real = real;
    take_back_persistent(record);
    count_completion(record, record->status);
    record->complete = true;
    ++undelivered;
}

// Looks at every active request.  Returns how many sends and collectives are still incomplete.
int look_at_requests() {
    int incomplete = 0;
    for_each_request([&](RequestRecord *record) {
        if (!record->active || record->complete || record->token) return;
        if (record->operation == Operation::generalized) return;  // to look would call the application
        int done = 0;
        MPI_Status status;
        status.MPI_ERROR = MPI_SUCCESS;
        lower.Request_get_status(static_cast<MPI_Request>(record->real), &done, &status);
        if (!done) {
            incomplete += record->operation != Operation::receive;
            return;
        }
        take_completion(record, status);
        if (!record->orphan) return;
        record->complete = false;
        --undelivered;
        give_request(record);
    });
    return incomplete;
}

}  // namespace

DrainTotals drain_totals() { return totals; }

void retire_counts(CommRecord *comm) {
    const auto ranks = static_cast<size_t>(world_size());
    retired_sent.resize(ranks);
    retired_received.resize(ranks);
    add_counts(comm, retired_sent, retired_received);
}

DrainedMessage *match_drained(CommRecord *comm, int source, int tag) {
    for (DrainedMessage *message = comm->drained; message; message = message->next)
        if ((source == MPI_ANY_SOURCE || source == message->source) && (tag == MPI_ANY_TAG || tag == message->tag))
            return message;
    return nullptr;
}

void unlink_drained(DrainedMessage *message) {
    if (const std::uint64_t token = std::exchange(message->token, 0)) control::send_receipt(message->sender, token);
    for (DrainedMessage **link = &message->comm->drained; *link; link = &(*link)->next)
        if (*link == message) {
            *link = message->next;
            return;
        }
}

void status_of(const DrainedMessage *message, MPI_Status *status) {
    status->MPI_SOURCE = message->source;
    status->MPI_TAG = message->tag;
    status->_cancelled = 0;
    lower.Status_set_elements_x(status, real_of(MPI_BYTE), message->bytes);
}

int deliver_drained(DrainedMessage *message, void *buffer, int count, MPI_Datatype real_type, MPI_Status *status) {
    // A message to oneself gives the data the meaning of any receive: layout, truncation, what the status says.
    unlink_drained(message);
    MPI_Request receive;
    int error = lower.Irecv(buffer, count, real_type, 0, 0, control::self_comm(), &receive);
    if (error == MPI_SUCCESS) {
        const Bytes whole(message->bytes);
        lower.Send(message->data, whole.count, whole.type, 0, 0, control::self_comm());
        status->MPI_ERROR = MPI_SUCCESS;
        error = lower.Wait(&receive, status);
        // Open MPI 4.1 cuts a message to oneself without a word when its receive is posted first, as here.
        MPI_Count size = 0;
        lower.Type_size_x(real_type, &size);
        if (error == MPI_SUCCESS && message->bytes > size * count)
            error = MPI_ERR_TRUNCATE;
    }
    status->MPI_SOURCE = message->source;
    status->MPI_TAG = message->tag;
    delete[] message->data;
    delete message;
    return error;
}

void drain_network() {
    flush_windows();
    std::vector<std::uint64_t> sent, received;
    const std::vector<RequestRecord *> synchronous = pending_synchronous();
    all_counts(sent, received);
    if (!synchronous.empty())
        for (std::uint64_t &count : sent) count |= kSynchronous;
    std::vector<std::uint64_t> expected(sent.size());
    lower.Alltoall(sent.data(), 1, real_of(MPI_UINT64_T), expected.data(), 1, real_of(MPI_UINT64_T),
                   control::stopped_comm());
    bool any_synchronous = false;
    for (std::uint64_t &count : expected) {
        any_synchronous |= (count & kSynchronous) != 0;
        count &= ~kSynchronous;
    }
    for_each_live<MessageRecord>(Kind::Message, [](MessageRecord *message) {
        if (message->drained) return;
        message->drained = receive_matched(message->comm, static_cast<MPI_Message>(message->real), message->status);
        message->real = real_of(MPI_MESSAGE_NULL);
    });
    MPI_Request barrier = nullptr;
    for (int finished = 0; !finished;) {
        bool moved = take_unexpected(record_of(MPI_COMM_WORLD)) | take_unexpected(record_of(MPI_COMM_SELF));
        for_each_live<CommRecord>(Kind::Comm, [&](CommRecord *comm) { moved |= take_unexpected(comm); });
        const int incomplete = look_at_requests();
        if (barrier) {
            lower.Test(&barrier, &finished, MPI_STATUS_IGNORE);
        } else if (!moved && incomplete == 0) {
            all_counts(sent, received);
            bool all_here = true;
            for (size_t rank = 0; rank < expected.size(); ++rank) all_here &= received[rank] >= expected[rank];
            if (all_here) lower.Ibarrier(control::stopped_comm(), &barrier);
        }
    }
    if (any_synchronous) await_receipts(synchronous);
}

}  // namespace sckpt::mpi
