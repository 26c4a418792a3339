// Arrays of requests, as the lower half is to see them.
//
// A request that was completed at a cut (`complete`) is the null request to the lower half; what it has to report is put
// in place afterwards.  `undelivered` counts these: it is zero but for a while after a checkpoint.
#pragma once

#include <vector>

#include "mpi_coord/complete.h"

namespace sckpt::mpi {

// Whom this request waits for.  Of a collective that is the agreement's own business.
inline void add_peer(Peers &peers, const RequestRecord *record) {
    if (record->operation != Operation::collective) peers.add(record->comm, record->peer);
}

// Live handles and statuses of an array of requests.  On the stack for up to kInline of them.
class Batch {
  public:
    // Without `told` the caller wants no statuses.
    Batch(int count, MPI_Request *requests, bool told = true)
        : count_(count > 0 ? count : 0), told_(told), requests_(requests) {
        if (count_ > kInline) {
            many_handles_.resize(static_cast<size_t>(count_));
            many_statuses_.resize(static_cast<size_t>(count_));
            handles_ = many_handles_.data();
            statuses_ = many_statuses_.data();
        }
        read();
    }

    // Handles change at a restart, which can happen in every turn of a wait.
    void read() {
        bool named = !posted_concurrently;  // another thread may cancel one meanwhile
        for (int i = 0; i < count_; ++i) {
            handles_[i] = real_of(requests_[i]);
            if (const RequestRecord *r = record(i)) named = named && names_source(r);
        }
        named_ = named;
    }

    MPI_Request *handles() { return requests_ ? handles_ : nullptr; }
    MPI_Status *statuses() { return statuses_; }
    // Those that have to be asked for: none, where the records say all that is needed of them.
    MPI_Status *wanted_statuses() { return told_ || !named_ ? statuses_ : MPI_STATUSES_IGNORE; }
    // What they say as far as it is needed, where they were not asked for.
    void make_up_statuses() {
        if (told_ || !named_) return;
        for (int i = 0; i < count_; ++i) {
            const RequestRecord *r = record(i);
            statuses_[i] = {};
            statuses_[i].MPI_SOURCE = r && r->operation == Operation::receive ? r->peer : MPI_ANY_SOURCE;
        }
    }
    RequestRecord *record(int i) { return record_of(requests_[i]); }
    int count() const { return count_; }

    void collect(Peers &peers) {
        for (int i = 0; i < count_; ++i)
            if (RequestRecord *r = record(i); r && r->active) add_peer(peers, r);
    }

    // Request i has completed in the lower half, or did so at a cut: fills statuses()[i], returns its error.
    int complete(int i, int error) {
        RequestRecord *r = record(i);
        if (!r) return MPI_SUCCESS;
        if (r->predefined) {
            requests_[i] = MPI_REQUEST_NULL;
            return MPI_SUCCESS;
        }
        if (r->complete) {
            error = deliver_outcome(r, &statuses_[i]);
        } else {
            if (!r->active) return MPI_SUCCESS;
            count_completion(r, statuses_[i]);
            r->real = handles_[i];
        }
        const bool kept = r->persistent;
        retire(r);
        if (!kept) requests_[i] = MPI_REQUEST_NULL;
        return error;
    }

    // All have completed in the lower half, none at a cut.  What complete() adds to and takes from for each of them, a
    // counter and the free list, is held back here, since the next one would wait for it.
    void complete_all() {
        std::uint64_t *counter = nullptr, more = 0;
        RequestRecord *list = free_requests;
        for (int i = 0; i < count_; ++i) {
            RequestRecord *const r = record(i);
            if (!r || !(r->active || r->predefined)) continue;
            const bool kept = r->persistent;
            if (r->active) {
                std::uint64_t *const own = counter_of_completion(r, named_ ? r->peer : statuses_[i].MPI_SOURCE);
                if (own != counter) {
                    if (counter) *counter += more;
                    counter = own, more = 0;
                }
                ++more;
                r->real = handles_[i];
                retire(r, list);
            }
            if (!kept) requests_[i] = MPI_REQUEST_NULL;
        }
        if (counter) *counter += more;
        free_requests = list;
    }

    // The first request that was completed at a cut, or -1.
    int first_complete() {
        if (undelivered == 0) return -1;
        for (int i = 0; i < count_; ++i)
            if (RequestRecord *r = record(i); r && r->complete) return i;
        return -1;
    }

  private:
    static constexpr int kInline = 64;
    int count_;
    bool told_;
    bool named_ = false;  // all receives name their source
    MPI_Request *requests_;
    MPI_Request inline_handles_[kInline];
    MPI_Status inline_statuses_[kInline];
    MPI_Request *handles_ = inline_handles_;
    MPI_Status *statuses_ = inline_statuses_;
    std::vector<MPI_Request> many_handles_;
    std::vector<MPI_Status> many_statuses_;
};

}  // namespace sckpt::mpi
