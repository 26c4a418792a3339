#include "mpi_coord/extent.h"

#include "mpi_coord/call.h"

namespace sckpt::mpi {

Extent all_ranks(MPI_Comm real) {
    int inter = 0, size = 0;
    lower.Comm_test_inter(real, &inter);
    inter ? lower.Comm_remote_size(real, &size) : lower.Comm_size(real, &size);
    return {size, size};
}

Extent neighbours(MPI_Comm real) {
    int topology = MPI_UNDEFINED, count = 0;
    lower.Topo_test(real, &topology);
    switch (topology) {
        case MPI_CART:
            lower.Cartdim_get(real, &count);
            return {2 * count, 2 * count};
        case MPI_GRAPH: {
            int rank = 0;
            lower.Comm_rank(real, &rank);
            lower.Graph_neighbors_count(real, rank, &count);
            return {count, count};
        }
        case MPI_DIST_GRAPH: {
            int in = 0, out = 0, weighted;
            lower.Dist_graph_neighbors_count(real, &in, &out, &weighted);
            return {out, in};
        }
    }
    return {};
}

}  // namespace sckpt::mpi
