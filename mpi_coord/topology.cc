// Communicators with a topology: constructors, record and rebuild.  All of a topology can be asked of MPI, so nothing
// is kept of the calls; whether its maker allowed reordering is settled by the order of ranks that came of it.
#include "mpi_coord/alias.h"
#include "mpi_coord/construct.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

template <class Constructor>
int construct_topology(MPI_Comm comm, MPI_Comm *result, const char *name, Constructor constructor) {
    Guard guard;
    return construct(record_of(comm), result, name, constructor);
}

size_t places(int count) { return static_cast<size_t>(count); }

void record_cartesian(MPI_Comm real, Topology &topology) {
    int count = 0;
    lower.Cartdim_get(real, &count);
    topology.dimensions.resize(places(count));
    topology.periods.resize(places(count));
    std::vector<int> coordinates(places(count));
    lower.Cart_get(real, count, topology.dimensions.data(), topology.periods.data(), coordinates.data());
}

void record_graph(MPI_Comm real, Topology &topology) {
    int nodes = 0, edges = 0;
    lower.Graphdims_get(real, &nodes, &edges);
    topology.index.resize(places(nodes));
    topology.edges.resize(places(edges));
    lower.Graph_get(real, nodes, edges, topology.index.data(), topology.edges.data());
}

void record_distributed_graph(MPI_Comm real, Topology &topology) {
    int in = 0, out = 0, weighted = 0;
    lower.Dist_graph_neighbors_count(real, &in, &out, &weighted);
    topology.weighted = weighted != 0;
    topology.sources.resize(places(in));
    topology.source_weights.resize(places(in));
    topology.destinations.resize(places(out));
    topology.destination_weights.resize(places(out));
    lower.Dist_graph_neighbors(real, in, topology.sources.data(), topology.source_weights.data(), out,
                               topology.destinations.data(), topology.destination_weights.data());
}

// MPI-3.1, 7.5.4: arrays of weights may not be null, also where there is no neighbour to weigh.
const int *weights(const Topology &topology, const std::vector<int> &values) {
    if (!topology.weighted) return MPI_UNWEIGHTED;
    return values.empty() ? MPI_WEIGHTS_EMPTY : values.data();
}

int make_again(const Topology &topology, MPI_Comm plain, MPI_Comm *made) {
    auto count = [](const std::vector<int> &values) { return static_cast<int>(values.size()); };
    switch (topology.kind) {
        case MPI_CART:
            return lower.Cart_create(plain, count(topology.dimensions), topology.dimensions.data(),
                                     topology.periods.data(), 0, made);
        case MPI_GRAPH:
            return lower.Graph_create(plain, count(topology.index), topology.index.data(), topology.edges.data(), 0,
                                      made);
        default:
            return lower.Dist_graph_create_adjacent(
                plain, count(topology.sources), topology.sources.data(), weights(topology, topology.source_weights),
                count(topology.destinations), topology.destinations.data(),
                weights(topology, topology.destination_weights), real_of(MPI_INFO_NULL), 0, made);
    }
}

}  // namespace

void record_topology(CommRecord *comm) {
    const auto real = static_cast<MPI_Comm>(comm->real);
    comm->info->topology.reset();
    int kind = MPI_UNDEFINED;
    if (!comm->info->inter) lower.Topo_test(real, &kind);
    if (kind == MPI_UNDEFINED) return;
    comm->info->topology = std::make_unique<Topology>();
    comm->info->topology->kind = kind;
    if (kind == MPI_CART)
        record_cartesian(real, *comm->info->topology);
    else if (kind == MPI_GRAPH)
        record_graph(real, *comm->info->topology);
    else
        record_distributed_graph(real, *comm->info->topology);
}

void rebuild_topology(CommRecord *comm) {
    if (!comm->info->topology) return;
    auto plain = static_cast<MPI_Comm>(comm->real);
    MPI_Comm made = nullptr;
    if (const int error = make_again(*comm->info->topology, plain, &made); error != MPI_SUCCESS)
        die("cannot make the topology of communicator %s again: MPI error %d", comm->info->name.c_str(), error);
    lower.Comm_free(&plain);
    comm->real = made;
}

extern "C" {

int PMPI_Cart_create(MPI_Comm comm, int count, const int dimensions[], const int periods[], int reorder,
                     MPI_Comm *result) {
    return construct_topology(comm, result, "MPI_Cart_create", [=](MPI_Comm *real) {
        return lower.Cart_create(real_of(comm), count, dimensions, periods, reorder, real);
    });
}

int PMPI_Cart_sub(MPI_Comm comm, const int remain[], MPI_Comm *result) {
    return construct_topology(comm, result, "MPI_Cart_sub",
                              [=](MPI_Comm *real) { return lower.Cart_sub(real_of(comm), remain, real); });
}

int PMPI_Graph_create(MPI_Comm comm, int nodes, const int index[], const int edges[], int reorder, MPI_Comm *result) {
    return construct_topology(comm, result, "MPI_Graph_create", [=](MPI_Comm *real) {
        return lower.Graph_create(real_of(comm), nodes, index, edges, reorder, real);
    });
}

int PMPI_Dist_graph_create(MPI_Comm comm, int count, const int nodes[], const int degrees[], const int targets[],
                           const int weights[], MPI_Info info, int reorder, MPI_Comm *result) {
    return construct_topology(comm, result, "MPI_Dist_graph_create", [=](MPI_Comm *real) {
        return lower.Dist_graph_create(real_of(comm), count, nodes, degrees, targets, weights, real_of(info), reorder,
                                       real);
    });
}

int PMPI_Dist_graph_create_adjacent(MPI_Comm comm, int indegree, const int sources[], const int source_weights[],
                                    int outdegree, const int destinations[], const int destination_weights[],
                                    MPI_Info info, int reorder, MPI_Comm *result) {
    return construct_topology(comm, result, "MPI_Dist_graph_create_adjacent", [=](MPI_Comm *real) {
        return lower.Dist_graph_create_adjacent(real_of(comm), indegree, sources, source_weights, outdegree,
                                                destinations, destination_weights, real_of(info), reorder, real);
    });
}

}  // extern "C"

SCKPT_ALIAS(Cart_create)
SCKPT_ALIAS(Cart_sub)
SCKPT_ALIAS(Graph_create)
SCKPT_ALIAS(Dist_graph_create)
SCKPT_ALIAS(Dist_graph_create_adjacent)

}  // namespace sckpt::mpi
