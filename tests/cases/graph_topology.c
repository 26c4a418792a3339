// A graph that is no regular one, on all ranks and on all but one, and duplicates of it (MPI-3.1, 7.5.3 to 7.5.5).
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

// A star around rank 0 with an edge from it to itself, each edge named in both directions, those of 0 in falling order.
static int index_[8], edges[32], edge_count;

static void build(int nodes) {
    edge_count = 0;
    for (int other = nodes - 1; other >= 0; --other) edges[edge_count++] = other;
    index_[0] = edge_count;
    for (int node = 1; node < nodes; ++node) {
        edges[edge_count++] = 0;
        index_[node] = edge_count;
    }
}

static void check_graph(MPI_Comm graph, int nodes) {
    int status, got_nodes, got_edges, got_index[8], got[32], mine, count;
    build(nodes);
    MPI_Topo_test(graph, &status);
    CHECK_EQUAL(status, MPI_GRAPH);
    MPI_Graphdims_get(graph, &got_nodes, &got_edges);
    CHECK_EQUAL(got_nodes, nodes);
    CHECK_EQUAL(got_edges, edge_count);
    MPI_Graph_get(graph, 8, 32, got_index, got);
    CHECK(memcmp(got_index, index_, (size_t)nodes * sizeof(int)) == 0);
    CHECK(memcmp(got, edges, (size_t)edge_count * sizeof(int)) == 0);
    MPI_Comm_rank(graph, &mine);
    MPI_Graph_neighbors_count(graph, mine, &count);
    CHECK_EQUAL(count, mine == 0 ? nodes : 1);
    MPI_Graph_neighbors(graph, mine, count, got);
    for (int i = 0; i < count; ++i) CHECK_EQUAL(got[i], mine == 0 ? nodes - 1 - i : 0);
    check_comm(graph, nodes);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "graph_topology");
    MPI_Comm all, some, twin, plain;
    int name_length, status;
    char name[MPI_MAX_OBJECT_NAME];
    build(size);
    MPI_Graph_create(MPI_COMM_WORLD, size, index_, edges, 1, &all);
    MPI_Comm_set_name(all, "a star");
    build(size > 1 ? size - 1 : 1);
    MPI_Graph_create(MPI_COMM_WORLD, size > 1 ? size - 1 : 1, index_, edges, 0, &some);
    MPI_Comm_dup(all, &twin);
    MPI_Comm_split(all, 0, rank, &plain);
    check_graph(twin, size);
    ready();
    wait_for_go();

    check_graph(all, size);
    check_graph(twin, size);
    if (some != MPI_COMM_NULL) check_graph(some, size > 1 ? size - 1 : 1);
    CHECK_EQUAL(some == MPI_COMM_NULL, size > 1 && rank == size - 1);
    MPI_Topo_test(plain, &status);
    CHECK_EQUAL(status, MPI_UNDEFINED);
    MPI_Comm_get_name(all, name, &name_length);
    CHECK(strcmp(name, "a star") == 0);

    // Another one, made after the cut from one made before it.
    MPI_Comm later;
    MPI_Comm_dup(twin, &later);
    check_graph(later, size);
    MPI_Comm_free(&later);
    MPI_Comm_free(&twin);
    MPI_Comm_free(&all);
    return finish();
}
