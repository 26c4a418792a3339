// See persistent_collective.h.
//
// To make such a request is collective: MPI tells the requests of a communicator apart by the order in which they were
// made.  To free one is local, so at a cut some members may have freed what others still hold.  At a restart the
// members agree, communicator by communicator, on the requests that anybody holds, and all make as many: who has freed
// his makes one that nobody starts in its place, and frees it.
#include "mpi_coord/persistent_collective.h"

#include <algorithm>

#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/control.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/requests.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

std::vector<CommRecord *> communicators_in_order() {
    std::vector<CommRecord *> all;
    auto add = [&](CommRecord *comm) {
        if (!comm->freed && comm->info && comm->info->persistent_collectives != 0) all.push_back(comm);
    };
    add(record_of(MPI_COMM_WORLD));
    add(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, add);
    std::ranges::sort(all, {}, [](const CommRecord *comm) { return comm->info->id; });
    return all;
}

void check(int error) {
    if (error != MPI_SUCCESS) die("cannot make a persistent collective again: MPI error %d", error);
}

MPI_Request make_idle(MPI_Comm real_comm) {
    MPI_Request real = nullptr;
    check(lower.X_Barrier_init(real_comm, real_of(MPI_INFO_NULL), &real));
    return real;
}

void rebuild_on(CommRecord *comm, const std::vector<RequestRecord *> &mine) {
    std::vector<int> held(mine.size());  // by any member
    for (size_t i = 0; i < mine.size(); ++i) held[i] = mine[i] != nullptr;
    any_of(comm, held);
    std::int64_t number = 0;
    for (size_t i = 0; i < mine.size(); ++i) {
        if (!held[i]) continue;
        if (RequestRecord *record = mine[i]) {
            PersistentCollective *made = persistent_collective(record);
            check(made->make(reinterpret_cast<MPI_Request *>(&record->real), true));
            made->number = number;
        } else {
            MPI_Request idle = make_idle(static_cast<MPI_Comm>(comm->real));
            lower.Request_free(&idle);
        }
        ++number;
    }
    comm->info->persistent_collectives = number;
}

}  // namespace

PersistentCollective *persistent_collective(const RequestRecord *record) {
    if (!record->used || !record->persistent || record->operation != Operation::collective) return nullptr;
    return static_cast<PersistentCollective *>(record->buffer);
}

int begin_persistent_collective(PersistentCollective *made, CommRecord *comm, MPI_Request *request) {
    MPI_Request real = nullptr;
    const int error = made->make(request ? &real : nullptr, false);
    if (error != MPI_SUCCESS) {
        delete made;
        return error;
    }
    made->number = comm->info->persistent_collectives++;
    RequestRecord *record = new_collective_request(real, comm);
    record->buffer = made;
    record->persistent = true;
    record->active = false;
    *request = handle_of(record);
    return error;
}

void forget_persistent_collective(RequestRecord *record) {
    delete persistent_collective(record);
    record->buffer = nullptr;
}

void rebuild_persistent_collectives() {
    std::unordered_map<const CommRecord *, std::vector<RequestRecord *>> held;
    for_each_request([&](RequestRecord *record) {
        const PersistentCollective *made = persistent_collective(record);
        if (!made) return;
        if (record->comm->freed) {  // nobody can start it any more
            record->real = make_idle(control::self_comm());
            return;
        }
        std::vector<RequestRecord *> &mine = held[record->comm];
        mine.resize(static_cast<size_t>(record->comm->info->persistent_collectives));
        mine[static_cast<size_t>(made->number)] = record;
    });
    for (CommRecord *comm : communicators_in_order()) {
        std::vector<RequestRecord *> &mine = held[comm];
        mine.resize(static_cast<size_t>(comm->info->persistent_collectives));
        rebuild_on(comm, mine);
    }
}

bool needed_by_persistent_collective(const RequestRecord *request, const Record *object) {
    const PersistentCollective *made = persistent_collective(request);
    return made && std::ranges::find(made->needs, object) != made->needs.end();
}

}  // namespace sckpt::mpi
