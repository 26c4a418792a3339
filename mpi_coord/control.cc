#include "mpi_coord/control.h"

#include <deque>

#include "mpi_coord/coordinator.h"

namespace sckpt::mpi {
namespace control {
namespace {

MPI_Comm messages, stopped, last, alone;  // live handles
int own_rank = 0, world = 1;
std::uint64_t opened = 0;

mpi_coord::Message incoming;
MPI_Request receiving;

struct Sending {
    MPI_Request request;
    mpi_coord::Message message;
};
std::deque<Sending> sendings;  // addresses stay while elements come and go at the ends

constexpr int kTag = 0;

void post_receive() {
    lower.Irecv(&incoming, sizeof incoming, real_of(MPI_BYTE), MPI_ANY_SOURCE, kTag, messages, &receiving);
}

void forget_done_sends() {
    while (!sendings.empty()) {
        int done = 0;
        lower.Test(&sendings.front().request, &done, MPI_STATUS_IGNORE);
        if (!done) return;
        sendings.pop_front();
    }
}

}  // namespace

void open() {
    ++opened;
    sendings.clear();
    const MPI_Comm everybody = real_of(MPI_COMM_WORLD);
    lower.Comm_rank(everybody, &own_rank);
    lower.Comm_size(everybody, &world);
    lower.Comm_dup(everybody, &messages);
    lower.Comm_dup(everybody, &stopped);
    lower.Comm_dup(everybody, &last);
    lower.Comm_dup(real_of(MPI_COMM_SELF), &alone);
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
    forget_done_sends();
    Sending &sending = sendings.emplace_back();
    sending.message = message;
    lower.Isend(&sending.message, sizeof message, real_of(MPI_BYTE), to, kTag, messages, &sending.request);
}

void receive_all(void (*take)(int from, const mpi_coord::Message &message)) {
    for (;;) {
        int done = 0;
        MPI_Status status;
        lower.Test(&receiving, &done, &status);
        if (!done) return;
        const mpi_coord::Message message = incoming;
        post_receive();
        take(status.MPI_SOURCE, message);
    }
}

void finish_sends() {
    while (!sendings.empty()) forget_done_sends();
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
