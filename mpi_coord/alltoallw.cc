// The collectives that take arrays of datatypes.
//
// Open MPI keeps the pointers to these arrays until a non-blocking operation is complete (it releases the types then),
// so the arrays of live handles must live as long: RequestRecord::buffer, which collectives do not use, marks the
// request that an array belongs to, and arrays whose request is gone are freed when the next is made.
#include <memory>
#include <mutex>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/requests.h"

namespace sckpt::mpi {
namespace {

// How many entries the arrays of a call on `comm` have: all ranks (the remote ones of an intercommunicator), or the
// neighbours in its topology.
struct Extent {
    int send = 0, receive = 0;
};

Extent all_ranks(MPI_Comm comm) {
    int inter = 0, size = 0;
    lower.Comm_test_inter(comm, &inter);
    inter ? lower.Comm_remote_size(comm, &size) : lower.Comm_size(comm, &size);
    return {size, size};
}

Extent neighbours(MPI_Comm comm) {
    int topology = MPI_UNDEFINED, count = 0;
    lower.Topo_test(comm, &topology);
    switch (topology) {
        case MPI_CART:
            lower.Cartdim_get(comm, &count);
            return {2 * count, 2 * count};
        case MPI_GRAPH: {
            int rank = 0;
            lower.Comm_rank(comm, &rank);
            lower.Graph_neighbors_count(comm, rank, &count);
            return {count, count};
        }
        case MPI_DIST_GRAPH: {
            int in = 0, out = 0, weighted;
            lower.Dist_graph_neighbors_count(comm, &in, &out, &weighted);
            return {out, in};
        }
    }
    return {};
}

bool usable(MPI_Comm comm) { return comm && comm != MPI_COMM_NULL; }

struct Types {
    Types(const MPI_Datatype *send_types, bool in_place, const MPI_Datatype *receive_types, Extent extent) {
        for (int i = 0; send_types && !in_place && i < extent.send; ++i) send.push_back(real_of(send_types[i]));
        for (int i = 0; receive_types && i < extent.receive; ++i) receive.push_back(real_of(receive_types[i]));
        send_given = send_types && !in_place;
        receive_given = receive_types != nullptr;
    }
    const MPI_Datatype *sends() const { return send_given ? send.data() : nullptr; }
    const MPI_Datatype *receives() const { return receive_given ? receive.data() : nullptr; }

    std::vector<MPI_Datatype> send, receive;
    bool send_given, receive_given;
    RequestRecord *owner = nullptr;
};

// Arrays of pending operations.
class Pending {
  public:
    void keep(std::unique_ptr<Types> types, RequestRecord *owner) {
        owner->buffer = types.get();
        types->owner = owner;
        std::lock_guard locked(lock_);
        std::erase_if(kept_, [](const auto &old) {
            return !old->owner->used || old->owner->operation != Operation::collective ||
                   old->owner->buffer != old.get();
        });
        kept_.push_back(std::move(types));
    }

  private:
    Spin lock_;
    std::vector<std::unique_ptr<Types>> kept_;
};

Pending &pending() {
    static auto *all = new Pending;
    return *all;
}

template <class Function, class Displacement>
int blocking(Function function, Extent (*extent)(MPI_Comm), const void *send, const int *send_counts,
             const Displacement *send_places, const MPI_Datatype *send_types, void *receive, const int *receive_counts,
             const Displacement *receive_places, const MPI_Datatype *receive_types, MPI_Comm comm) {
    Guard guard;
    const Inside inside(record_of(comm));
    const Types types(send_types, send == MPI_IN_PLACE, receive_types, usable(comm) ? extent(real_of(comm)) : Extent{});
    return function(send, send_counts, send_places, types.sends(), receive, receive_counts, receive_places,
                    types.receives(), real_of(comm));
}

// `start` is called with the arrays of live types and the place for the request.
template <class Start>
int immediate(Extent (*extent)(MPI_Comm), const void *send, const MPI_Datatype *send_types,
              const MPI_Datatype *receive_types, MPI_Comm comm, MPI_Request *request, bool persistent, Start start) {
    auto types = std::make_unique<Types>(send_types, send == MPI_IN_PLACE, receive_types,
                                         usable(comm) ? extent(real_of(comm)) : Extent{});
    MPI_Request real = nullptr;
    const int error = start(types->sends(), types->receives(), request ? &real : nullptr);
    if (error != MPI_SUCCESS) return error;
    RequestRecord *record = new_collective_request(real, record_of(comm));
    record->persistent = persistent;
    record->active = !persistent;
    pending().keep(std::move(types), record);
    *request = handle_of(record);
    return error;
}

template <class Function, class Displacement>
int nonblocking(Function function, Extent (*extent)(MPI_Comm), const void *send, const int *send_counts,
                const Displacement *send_places, const MPI_Datatype *send_types, void *receive,
                const int *receive_counts, const Displacement *receive_places, const MPI_Datatype *receive_types,
                MPI_Comm comm, MPI_Request *request) {
    Guard guard;
    const Inside inside(record_of(comm));
    return immediate(extent, send, send_types, receive_types, comm, request, false,
                     [=](const MPI_Datatype *sends, const MPI_Datatype *receives, MPI_Request *real) {
                         return function(send, send_counts, send_places, sends, receive, receive_counts, receive_places,
                                         receives, real_of(comm), real);
                     });
}

template <class Function, class Displacement>
int persistent(Function function, Extent (*extent)(MPI_Comm), const void *send, const int *send_counts,
               const Displacement *send_places, const MPI_Datatype *send_types, void *receive,
               const int *receive_counts, const Displacement *receive_places, const MPI_Datatype *receive_types,
               MPI_Comm comm, MPI_Info info, MPI_Request *request) {
    Guard guard;
    constexpr auto kReason = static_cast<unsigned>(Hold::persistent_collective);
    const InsideUncounted inside(kHoldSentences[kReason]);
    const int error = immediate(extent, send, send_types, receive_types, comm, request, true,
                                [=](const MPI_Datatype *sends, const MPI_Datatype *receives, MPI_Request *real) {
                                    return function(send, send_counts, send_places, sends, receive, receive_counts,
                                                    receive_places, receives, real_of(comm), real_of(info), real);
                                });
    if (error == MPI_SUCCESS) ++hold_counts[kReason];
    return error;
}

}  // namespace

extern "C" {

int PMPI_Alltoallw(const void *send, const int send_counts[], const int send_places[], const MPI_Datatype send_types[],
                   void *receive, const int receive_counts[], const int receive_places[],
                   const MPI_Datatype receive_types[], MPI_Comm comm) {
    return blocking(lower.Alltoallw, all_ranks, send, send_counts, send_places, send_types, receive, receive_counts,
                    receive_places, receive_types, comm);
}

int PMPI_Neighbor_alltoallw(const void *send, const int send_counts[], const MPI_Aint send_places[],
                            const MPI_Datatype send_types[], void *receive, const int receive_counts[],
                            const MPI_Aint receive_places[], const MPI_Datatype receive_types[], MPI_Comm comm) {
    return blocking(lower.Neighbor_alltoallw, neighbours, send, send_counts, send_places, send_types, receive,
                    receive_counts, receive_places, receive_types, comm);
}

int PMPI_Ialltoallw(const void *send, const int send_counts[], const int send_places[], const MPI_Datatype send_types[],
                    void *receive, const int receive_counts[], const int receive_places[],
                    const MPI_Datatype receive_types[], MPI_Comm comm, MPI_Request *request) {
    return nonblocking(lower.Ialltoallw, all_ranks, send, send_counts, send_places, send_types, receive, receive_counts,
                       receive_places, receive_types, comm, request);
}

int PMPI_Ineighbor_alltoallw(const void *send, const int send_counts[], const MPI_Aint send_places[],
                             const MPI_Datatype send_types[], void *receive, const int receive_counts[],
                             const MPI_Aint receive_places[], const MPI_Datatype receive_types[], MPI_Comm comm,
                             MPI_Request *request) {
    return nonblocking(lower.Ineighbor_alltoallw, neighbours, send, send_counts, send_places, send_types, receive,
                       receive_counts, receive_places, receive_types, comm, request);
}

int PMPIX_Alltoallw_init(const void *send, const int send_counts[], const int send_places[],
                         const MPI_Datatype send_types[], void *receive, const int receive_counts[],
                         const int receive_places[], const MPI_Datatype receive_types[], MPI_Comm comm, MPI_Info info,
                         MPI_Request *request) {
    return persistent(lower.X_Alltoallw_init, all_ranks, send, send_counts, send_places, send_types, receive,
                      receive_counts, receive_places, receive_types, comm, info, request);
}

int PMPIX_Neighbor_alltoallw_init(const void *send, const int send_counts[], const MPI_Aint send_places[],
                                  const MPI_Datatype send_types[], void *receive, const int receive_counts[],
                                  const MPI_Aint receive_places[], const MPI_Datatype receive_types[], MPI_Comm comm,
                                  MPI_Info info, MPI_Request *request) {
    return persistent(lower.X_Neighbor_alltoallw_init, neighbours, send, send_counts, send_places, send_types, receive,
                      receive_counts, receive_places, receive_types, comm, info, request);
}

}  // extern "C"

SCKPT_ALIAS(Alltoallw)
SCKPT_ALIAS(Neighbor_alltoallw)
SCKPT_ALIAS(Ialltoallw)
SCKPT_ALIAS(Ineighbor_alltoallw)

SCKPT_ALIAS_AS(PMPIX_Alltoallw_init, MPIX_Alltoallw_init)
SCKPT_ALIAS_AS(PMPIX_Neighbor_alltoallw_init, MPIX_Neighbor_alltoallw_init)

}  // namespace sckpt::mpi
