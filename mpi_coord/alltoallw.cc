// The collectives that take arrays of datatypes.
//
// Open MPI keeps the pointers to these arrays until a non-blocking operation is complete (it releases the types then),
// so the arrays of live handles must live as long: RequestRecord::buffer, which collectives do not use, marks the
// request that an array belongs to, and arrays whose request is gone are freed when the next is made.
#include <memory>
#include <mutex>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/extent.h"
#include "mpi_coord/requests.h"

namespace sckpt::mpi {
namespace {

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
              const MPI_Datatype *receive_types, MPI_Comm comm, MPI_Request *request, Start start) {
    auto types = std::make_unique<Types>(send_types, send == MPI_IN_PLACE, receive_types,
                                         usable(comm) ? extent(real_of(comm)) : Extent{});
    MPI_Request real = nullptr;
    const int error = start(types->sends(), types->receives(), request ? &real : nullptr);
    if (error != MPI_SUCCESS) return error;
    RequestRecord *record = new_collective_request(real, record_of(comm));
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
    return immediate(extent, send, send_types, receive_types, comm, request,
                     [=](const MPI_Datatype *sends, const MPI_Datatype *receives, MPI_Request *real) {
                         return function(send, send_counts, send_places, sends, receive, receive_counts, receive_places,
                                         receives, real_of(comm), real);
                     });
}

// One side of a persistent call, kept.
template <class Displacement>
struct Side {
    std::vector<int> counts;
    std::vector<Displacement> places;
    std::vector<MPI_Datatype> types;  // the application's handles
    bool given;

    Side(bool significant, int entries, const int *counts_given, const Displacement *places_given,
         const MPI_Datatype *types_given)
        : given(significant && counts_given && places_given && types_given) {
        if (!given) return;
        counts.assign(counts_given, counts_given + entries);
        places.assign(places_given, places_given + entries);
        types.assign(types_given, types_given + entries);
    }
    void add_needs(PersistentCollective *made) const {
        for (MPI_Datatype type : types)
            if (type) made->needs.push_back(record_of(type));
    }
    const int *counts_or_null() const { return given ? counts.data() : nullptr; }
    const Displacement *places_or_null() const { return given ? places.data() : nullptr; }
    const MPI_Datatype *types_or_null() const { return given ? types.data() : nullptr; }
};

template <class Function, class Displacement>
int persistent(Function function, Extent (*extent)(MPI_Comm), const void *send, const int *send_counts,
               const Displacement *send_places, const MPI_Datatype *send_types, void *receive,
               const int *receive_counts, const Displacement *receive_places, const MPI_Datatype *receive_types,
               MPI_Comm comm, MPI_Info info, MPI_Request *request) {
    Guard guard;
    const Inside inside(record_of(comm));
    const Extent entries = usable(comm) ? extent(real_of(comm)) : Extent{};
    const Side<Displacement> out(send != MPI_IN_PLACE, entries.send, send_counts, send_places, send_types);
    const Side<Displacement> in(true, entries.receive, receive_counts, receive_places, receive_types);
    auto *made = new PersistentCollective;
    out.add_needs(made);
    in.add_needs(made);
    made->make = [=, live = std::shared_ptr<Types>()](MPI_Request *real, bool again) mutable {
        auto types = std::make_shared<Types>(out.types_or_null(), false, in.types_or_null(), entries);
        const int error =
            function(send, out.counts_or_null(), out.places_or_null(), types->sends(), receive, in.counts_or_null(),
                     in.places_or_null(), types->receives(), real_of(comm), real_of(again ? MPI_INFO_NULL : info), real);
        live = std::move(types);
        return error;
    };
    return begin_persistent_collective(made, record_of(comm), request);
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
