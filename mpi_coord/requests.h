// Records of requests: a pool that is walked at the cut.  Taking and giving back is a list operation of the calling
// thread, without a lock.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

RequestRecord *take_request_slow();
extern constinit thread_local RequestRecord *free_requests [[gnu::tls_model("initial-exec")]];
extern std::atomic<std::uint64_t> posting_order;
extern bool posted_concurrently;  // MPI_THREAD_MULTIPLE

// The place of a receive among those posted.  A locked instruction is dear here; one thread at a time needs none.
inline std::uint64_t next_posting() {
    if (posted_concurrently) [[unlikely]]
        return posting_order.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t order = posting_order.load(std::memory_order_relaxed);
    posting_order.store(order + 1, std::memory_order_relaxed);
    return order;
}

inline RequestRecord *take_request() {
    RequestRecord *record = free_requests;
    if (!record) [[unlikely]]
        return take_request_slow();
    free_requests = record->next_free;
    record->used = true;
    record->active = record->complete = record->persistent = record->orphan = record->cancelled = false;
    record->comm = nullptr;
    record->datatype = nullptr;
    return record;
}

// The record keeps what it says until it is taken again, and its Fortran number for whatever request comes next: this
// path is hot, being on the way from a message's arrival to the answer.
//
// Who gives back many at once may collect them in a list of his own that begins as the thread's: the next one does not
// wait for the last one's store then.
inline void give_request(RequestRecord *record, RequestRecord *&list = free_requests) {
    record->used = false;
    record->next_free = list;
    list = record;
}

// Every record of the pool, used or not.
void walk_requests(void (*visit)(RequestRecord *, void *), void *data);
template <class Function>
void for_each_request(Function function) {
    walk_requests([](RequestRecord *record, void *data) { if (record->used) (*static_cast<Function *>(data))(record); },
                  &function);
}

// The fields of a status that a completion of a single request writes (MPI-3.1, 3.2.5: not MPI_ERROR).
inline void copy_status(MPI_Status *to, const MPI_Status &from) {
    const int error = to->MPI_ERROR;
    *to = from;
    to->MPI_ERROR = error;
}

// Does the record alone say from whom the message is, should one have come?
inline bool names_source(const RequestRecord *record) {
    return record->operation != Operation::receive || (record->peer >= 0 && !record->cancelled);
}

// What counts a message that the request has received from `source`, as its status or its record says; null where there
// is none.
inline std::uint64_t *counter_of_completion(const RequestRecord *record, int source) {
    return record->operation == Operation::receive && source >= 0 && record->comm->received
               ? &record->comm->received[source]
               : nullptr;
}

// Completion towards the application of a request whose lower half has just reported completion with `status`.
inline void count_completion(const RequestRecord *record, const MPI_Status &status) {
    if (std::uint64_t *const counter = counter_of_completion(record, status.MPI_SOURCE)) ++*counter;
}

// Bytes per record and records made so far, for the memory report.
std::size_t request_pool_size();

}  // namespace sckpt::mpi
