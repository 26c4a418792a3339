// Constructors of communicators with a topology.  Cartesian ones are rebuilt (comm.cc); graphs decline checkpoints.
#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/errhandler.h"

namespace sckpt::mpi {
namespace {

template <class Constructor>
int construct(MPI_Comm comm, MPI_Comm *result, const char *name, bool graph, Constructor constructor) {
    Guard guard;
    CommRecord *parent = record_of(comm);
    enter_collective(parent);
    MPI_Comm real = nullptr;
    self.in_collective = true;
    const int error = constructor(&real);
    self.in_collective = false;
    if (error != MPI_SUCCESS) return error;
    *result = adopt_communicator(real, parent && parent->info ? next_child_id(parent) : 0, name);
    inherit_errhandler(parent, record_of(*result));
    if (graph && !record_of(*result)->predefined) ++hold_counts[static_cast<int>(Hold::graph_topology)];
    return error;
}

}  // namespace

extern "C" {

int PMPI_Cart_create(MPI_Comm comm, int count, const int dimensions[], const int periods[], int reorder,
                     MPI_Comm *result) {
    return construct(comm, result, "MPI_Cart_create", false, [=](MPI_Comm *real) {
        return lower.Cart_create(real_of(comm), count, dimensions, periods, reorder, real);
    });
}

int PMPI_Cart_sub(MPI_Comm comm, const int remain[], MPI_Comm *result) {
    return construct(comm, result, "MPI_Cart_sub", false,
                     [=](MPI_Comm *real) { return lower.Cart_sub(real_of(comm), remain, real); });
}

int PMPI_Graph_create(MPI_Comm comm, int nodes, const int index[], const int edges[], int reorder, MPI_Comm *result) {
    return construct(comm, result, "MPI_Graph_create", true, [=](MPI_Comm *real) {
        return lower.Graph_create(real_of(comm), nodes, index, edges, reorder, real);
    });
}

int PMPI_Dist_graph_create(MPI_Comm comm, int count, const int nodes[], const int degrees[], const int targets[],
                           const int weights[], MPI_Info info, int reorder, MPI_Comm *result) {
    return construct(comm, result, "MPI_Dist_graph_create", true, [=](MPI_Comm *real) {
        return lower.Dist_graph_create(real_of(comm), count, nodes, degrees, targets, weights, real_of(info), reorder,
                                       real);
    });
}

int PMPI_Dist_graph_create_adjacent(MPI_Comm comm, int indegree, const int sources[], const int source_weights[],
                                    int outdegree, const int destinations[], const int destination_weights[],
                                    MPI_Info info, int reorder, MPI_Comm *result) {
    return construct(comm, result, "MPI_Dist_graph_create_adjacent", true, [=](MPI_Comm *real) {
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
