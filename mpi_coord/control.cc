#include "mpi_coord/control.h"

#include <deque>
#include <mutex>

#include "mpi_coord/coordinator.h"

namespace sckpt::mpi {
namespace control {
namespace {

MPI_Comm messages, stopped, last, alone;  // live handles
int own_rank = 0, world = 1;
std::uint64_t opened = 0;

// What has arrived; the tag tells which.
union Incoming {
    mpi_coord::Message message;
    std::uint64_t token;
};
constexpr int kMessageTag = 0, kReceiptTag = 1;
Incoming incoming;
MPI_Request receiving;

template <class T>
struct Sending {
    MPI_Request request;
    T content;
};
// Addresses stay while elements come and go at the ends.
template <class T>
using Sendings = std::deque<Sending<T>>;
Sendings<mpi_coord::Message> messages_out;
Sendings<std::uint64_t> receipts_out;
Spin receipts_lock;

void post_receive() {
    lower.Irecv(&incoming, sizeof incoming, real_of(MPI_BYTE), MPI_ANY_SOURCE, MPI_ANY_TAG, messages,
                &receiving);
}

template <class T>
void forget_done(Sendings<T> &sendings) {
    while (!sendings.empty()) {
        int done = 0;
        lower.Test(&sendings.front().request, &done, MPI_STATUS_IGNORE);
        if (!done) return;
        sendings.pop_front();
    }
}

template <class T>
void begin_send(Sendings<T> &sendings, int to, int tag, const T &content) {
    forget_done(sendings);
    Sending<T> &sending = sendings.emplace_back();
    sending.content = content;
    lower.Isend(&sending.content, sizeof content, real_of(MPI_BYTE), to, tag, messages, &sending.request);
}

// With the same members.  MPI_Comm_dup has a non-blocking collective in it, and from the first one on Open MPI looks for
// more of them whenever the network moves on.
MPI_Comm another(MPI_Comm comm) {
    constexpr int kTag = 1;
    MPI_Group members;
    MPI_Comm made = MPI_COMM_NULL;
    lower.Comm_group(comm, &members);
    lower.Comm_create_group(comm, members, kTag, &made);
    lower.Group_free(&members);
    return made;
}

}  // namespace

void open() {
    ++opened;
    messages_out.clear();
    receipts_out.clear();
    const MPI_Comm everybody = real_of(MPI_COMM_WORLD);
    lower.Comm_rank(everybody, &own_rank);
    lower.Comm_size(everybody, &world);
    messages = another(everybody);
    stopped = another(everybody);
    last = another(everybody);
    alone = another(real_of(MPI_COMM_SELF));
    lower.Comm_set_errhandler(alone, real_of(MPI_ERRORS_RETURN));
    post_receive();
}

void close() {
    lower.Cancel(&receiving);
    lower.Wait(&receiving, MPI_STATUS_IGNORE);
    finish_sends();
    for (MPI_Comm *comm : {&messages, &stopped, &last, &alone}) lower.Comm_free(comm);
}

std::uint64_t times_opened() { return opened; }
int rank() { return own_rank; }
int size() { return world; }
MPI_Comm stopped_comm() { return stopped; }
MPI_Comm self_comm() { return alone; }

MPI_Request begin_last_barrier() {
    MPI_Request request;
    lower.Ibarrier(last, &request);
    return request;
}

void send(int to, const mpi_coord::Message &message) {
    begin_send(messages_out, to, kMessageTag, message);
}

void send_receipt(int to, std::uint64_t token) {
    std::lock_guard locked(receipts_lock);
    begin_send(receipts_out, to, kReceiptTag, token);
}

void receive_all(void (*take)(int from, const mpi_coord::Message &message), void (*receipt)(std::uint64_t token)) {
    for (;;) {
        int done = 0;
        MPI_Status status;
        lower.Test(&receiving, &done, &status);
        if (!done) return;
        const Incoming arrived = incoming;
        post_receive();
        if (status.MPI_TAG == kReceiptTag)
            receipt(arrived.token);
        else
            take(status.MPI_SOURCE, arrived.message);
    }
}

void finish_sends() {
    while (!messages_out.empty()) forget_done(messages_out);
    std::lock_guard locked(receipts_lock);
    while (!receipts_out.empty()) forget_done(receipts_out);
}

}  // namespace control

std::int64_t agree_minimum(std::int64_t value) {
    std::int64_t result = value;
    lower.Allreduce(&value, &result, 1, real_of(MPI_INT64_T), real_of(MPI_MIN), control::stopped_comm());
    return result;
}
std::int64_t agree_maximum(std::int64_t value) {
    std::int64_t result = value;
    lower.Allreduce(&value, &result, 1, real_of(MPI_INT64_T), real_of(MPI_MAX), control::stopped_comm());
    return result;
}
std::uint32_t agree_union(std::uint32_t bits) {
    std::uint32_t result = bits;
    lower.Allreduce(&bits, &result, 1, real_of(MPI_UINT32_T), real_of(MPI_BOR), control::stopped_comm());
    return result;
}
void broadcast(void *data, int bytes, int root) {
    lower.Bcast(data, bytes, real_of(MPI_BYTE), root, control::stopped_comm());
}

}  // namespace sckpt::mpi
