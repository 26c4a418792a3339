#include "mpi_coord/requests.h"

#include "mpi_coord/call.h"

namespace sckpt::mpi {

constinit thread_local RequestRecord *free_requests [[gnu::tls_model("initial-exec")]];
std::atomic<std::uint64_t> posting_order{0};
bool posted_concurrently = false;

namespace {

constexpr int kSlab = 64;
struct Slab {
    RequestRecord records[kSlab];
    Slab *next;
};
std::atomic<Slab *> slabs;
std::atomic<std::size_t> slab_count;

}  // namespace

RequestRecord *take_request_slow() {
    auto *slab = new Slab;
    for (int i = 0; i < kSlab; ++i) {
        slab->records[i].kind = Kind::Request;
        slab->records[i].next_free = i + 1 < kSlab ? &slab->records[i + 1] : nullptr;
    }
    slab->next = slabs;
    while (!slabs.compare_exchange_weak(slab->next, slab)) {
    }
    ++slab_count;
    free_requests = slab->records;
    return take_request();
}

void walk_requests(void (*visit)(RequestRecord *, void *), void *data) {
    for (Slab *slab = slabs; slab; slab = slab->next)
        for (RequestRecord &record : slab->records) visit(&record, data);
}

std::size_t request_pool_size() { return slab_count * kSlab; }

RequestRecord *new_collective_request(MPI_Request real, CommRecord *comm) {
    RequestRecord *record = take_request();
    record->real = real;
    record->operation = Operation::collective;
    record->comm = comm;
    record->active = true;
    return record;
}

void discard_request(RequestRecord *record) { give_request(record); }

}  // namespace sckpt::mpi
