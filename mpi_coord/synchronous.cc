// See synchronous.h.
//
// Which messages are matched.  A cut receives every message, so the lower half completes every synchronous send.  But
// messages with the same communicator, source and tag are matched in the order in which they were sent, so those that
// no receive of the application has matched are the last ones.  The sender knows how many it has sent after the
// message in question, the receiver how many it has drained: together they know whether it is among them, and which.
// The sender counts only while a synchronous send with that destination and tag is pending.  (Threads that send
// concurrently with equal communicator, destination and tag have no order in MPI, and may be counted in another one.)
//
// How it goes on.  A request whose message is among them is made pending again: a generalized request that nobody
// completes takes its place in the lower half, so all waits and tests treat it as what it is.  The drained message
// carries a token; when the application matches it, the token is sent back, and the generalized request completed.
// At every cut sender and receiver find out anew, so a token in flight then does no harm: it is one that nobody knows.
//
// Cancelling such a request does nothing, like cancelling any send in Open MPI.
#include "mpi_coord/synchronous.h"

#include <map>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "mpi_coord/comm.h"
#include "mpi_coord/control.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/drain.h"
#include "preload/base/log.h"

namespace sckpt::mpi {

std::atomic<int> awaiting_receipts{0};

struct SendStream {
    struct Key {
        CommRecord *comm;
        int destination, tag;
        bool operator==(const Key &) const = default;
    };
    Key key{};
    std::uint64_t sent = 0;  // since the first of the pending ones
    int pending = 0;         // synchronous sends
};

namespace {

struct Hash {
    size_t operator()(const SendStream::Key &key) const {
        return mix_id(reinterpret_cast<std::uint64_t>(key.comm),
                      static_cast<std::uint64_t>(static_cast<std::uint32_t>(key.destination)) << 32 |
                          static_cast<std::uint32_t>(key.tag));
    }
};

// Guards all of the following; never held while anything waits.
Spin guard_streams;
std::unordered_map<SendStream::Key, SendStream, Hash> streams;
std::unordered_map<std::uint64_t, RequestRecord *> awaiting;  // by token
std::uint64_t last_token = 0;

// A blocking synchronous send comes and goes: its stream is kept for the next one, unless there are many.
constexpr size_t kKeptStreams = 64;

// What the sender asks about a pending message.
struct Question {
    std::uint64_t comm;
    std::int32_t source, tag;  // rank in the communicator
    std::uint64_t later;       // messages sent after it
    std::uint64_t token;
};

int query(void *record, MPI_Status *status) {
    *status = static_cast<RequestRecord *>(record)->status;
    status->MPI_ERROR = MPI_SUCCESS;
    return MPI_SUCCESS;
}
int free_nothing(void *) { return MPI_SUCCESS; }
int cancel_nothing(void *, int) { return MPI_SUCCESS; }

// The request that this token names, which ceases to await; null when there is none.
RequestRecord *withdraw(std::uint64_t token) {
    std::lock_guard locked(guard_streams);
    const auto found = awaiting.find(token);
    if (found == awaiting.end()) return nullptr;
    RequestRecord *record = found->second;
    awaiting.erase(found);
    record->token = 0;
    --awaiting_receipts;
    return record;
}

void ask_back(RequestRecord *record, std::uint64_t token) {
    record->token = token;
    record->complete = false;
    --undelivered;
    awaiting.emplace(token, record);
    ++awaiting_receipts;
    put_in_place(record);
}

// Exchanges lists, one for each rank in the order of ranks, over all ranks.
template <class T>
struct Exchange {
    std::vector<T> items;
    std::vector<int> bytes, places;  // of each rank's part of items

    explicit Exchange(int ranks) : bytes(static_cast<size_t>(ranks)), places(static_cast<size_t>(ranks)) {}

    void place() {
        int place = 0;
        for (size_t rank = 0; rank < bytes.size(); ++rank) places[rank] = std::exchange(place, place + bytes[rank]);
        items.resize(static_cast<size_t>(place) / sizeof(T));
    }
    void to(Exchange &there) {
        lower.Alltoallv(items.data(), bytes.data(), places.data(), real_of(MPI_BYTE), there.items.data(),
                        there.bytes.data(), there.places.data(), real_of(MPI_BYTE), control::stopped_comm());
    }
};

using Lane = std::tuple<std::uint64_t, int, int>;  // communicator, source, tag

// The drained messages of each lane, oldest first.  What they carried of earlier cuts is void.
std::map<Lane, std::vector<DrainedMessage *>> drained_messages() {
    std::map<Lane, std::vector<DrainedMessage *>> lanes;
    auto add = [&](CommRecord *comm) {
        for (DrainedMessage *message = comm->drained; message; message = message->next) {
            message->token = 0;
            lanes[{comm->info->id, message->source, message->tag}].push_back(message);
        }
    };
    add(record_of(MPI_COMM_WORLD));
    add(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, add);
    return lanes;
}

}  // namespace

void number_send(RequestRecord *record) {
    CommRecord *comm = record->comm;
    if (record->peer < 0 || comm->info->foreign) return;
    const bool synchronous = record->mode == Mode::synchronous;
    const SendStream::Key key{comm, record->peer, record->tag};
    std::lock_guard locked(guard_streams);
    auto found = streams.find(key);
    if (synchronous && found == streams.end()) found = streams.emplace(key, SendStream{.key = key}).first;
    if (found == streams.end()) return;
    SendStream &stream = found->second;
    if (!synchronous && stream.pending == 0) return;
    if (stream.pending == 0) stream.sent = 0;
    const std::uint64_t number = ++stream.sent;
    if (!synchronous) return;
    record->order = number;
    record->stream = &stream;
    record->noted = true;
    ++stream.pending;
    ++comm->synchronous_pending;
}

void forget_synchronous(RequestRecord *record) {
    std::lock_guard locked(guard_streams);
    SendStream *stream = std::exchange(record->stream, nullptr);
    record->noted = false;
    --stream->key.comm->synchronous_pending;
    if (--stream->pending == 0 && streams.size() > kKeptStreams) streams.erase(SendStream::Key(stream->key));
}

void put_in_place(RequestRecord *record) {
    if (record->persistent) record->parked = record->real;
    MPI_Request real;
    const int error = lower.Grequest_start(query, free_nothing, cancel_nothing, record, &real);
    if (error != MPI_SUCCESS) die("cannot keep a synchronous send pending: MPI error %d", error);
    record->real = real;
}

bool stop_awaiting(RequestRecord *record) {
    if (!withdraw(record->token)) return false;
    auto real = static_cast<MPI_Request>(record->real);
    lower.Grequest_complete(real);
    lower.Request_free(&real);
    record->real = real_of(MPI_REQUEST_NULL);
    take_back_persistent(record);
    return true;
}

void take_receipt(std::uint64_t token) {
    if (RequestRecord *record = withdraw(token)) lower.Grequest_complete(static_cast<MPI_Request>(record->real));
}

std::vector<RequestRecord *> pending_synchronous() {
    std::vector<RequestRecord *> pending;
    for_each_request([&](RequestRecord *record) {
        if (record->noted && record->mode == Mode::synchronous && record->operation == Operation::send &&
            !record->complete)
            pending.push_back(record);
    });
    return pending;
}

void await_receipts(std::span<RequestRecord *const> pending) {
    const int ranks = world_size();
    auto world_rank_of = [](const RequestRecord *record) {
        return record->comm->info->peers()[static_cast<size_t>(record->peer)];
    };

    Exchange<Question> asked(ranks), heard(ranks);
    for (const RequestRecord *record : pending) asked.bytes[world_rank_of(record)] += int{sizeof(Question)};
    asked.place();
    std::vector<size_t> next, index;  // where the next question to a rank goes, where each one went
    for (const int place : asked.places) next.push_back(static_cast<size_t>(place) / sizeof(Question));
    for (const RequestRecord *record : pending) {
        const size_t at = next[world_rank_of(record)]++;
        asked.items[at] = {record->comm->info->id, record->comm->info->rank, record->tag,
                           record->stream->sent - record->order, record->token ? record->token : ++last_token};
        index.push_back(at);
    }
    lower.Alltoall(asked.bytes.data(), 1, real_of(MPI_INT), heard.bytes.data(), 1, real_of(MPI_INT),
                   control::stopped_comm());
    heard.place();
    asked.to(heard);

    // The same lists with one byte for each question.
    Exchange<char> said(ranks), answers(ranks);
    const auto lanes = drained_messages();
    for (size_t rank = 0; rank < heard.bytes.size(); ++rank) {
        said.bytes[rank] = heard.bytes[rank] / int{sizeof(Question)};
        answers.bytes[rank] = asked.bytes[rank] / int{sizeof(Question)};
        const size_t first = static_cast<size_t>(heard.places[rank]) / sizeof(Question);
        const std::span questions(heard.items.data() + first, static_cast<size_t>(said.bytes[rank]));
        for (const Question &question : questions) {
            const auto lane = lanes.find({question.comm, question.source, question.tag});
            const bool unmatched = lane != lanes.end() && question.later < lane->second.size();
            if (unmatched) {
                DrainedMessage *message = lane->second[lane->second.size() - 1 - question.later];
                message->token = question.token;
                message->sender = static_cast<int>(rank);
            }
            said.items.push_back(unmatched);
        }
    }
    said.place();
    answers.place();
    said.to(answers);

    for (size_t i = 0; i < pending.size(); ++i) {
        RequestRecord *record = pending[i];
        const bool unmatched = answers.items[index[i]] != 0;
        if (unmatched && record->complete && record->error == MPI_SUCCESS) {
            ask_back(record, asked.items[index[i]].token);
        } else if (!unmatched && stop_awaiting(record)) {
            record->complete = true;
            record->error = MPI_SUCCESS;
            ++undelivered;
        }
    }
}

}  // namespace sckpt::mpi
