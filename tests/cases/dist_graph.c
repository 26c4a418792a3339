// Distributed graphs: with weights, without, made from edges that other ranks name, with ranks that have no neighbour;
// order, weights and multiplicity of neighbours are kept (MPI-3.1, 7.5.4 and 7.5.5).
#include "testcase_mpi.h"

enum { kMost = 16 };

// Not static, so not constants to gcc, which would warn of their addresses.
int *unweighted_mark = MPI_UNWEIGHTED, *empty_mark = MPI_WEIGHTS_EMPTY;

struct graph {
    int in, out, weighted;
    int sources[kMost], source_weights[kMost], destinations[kMost], destination_weights[kMost];
};

static struct graph look(MPI_Comm comm) {
    struct graph g = {0};
    int status;
    MPI_Topo_test(comm, &status);
    CHECK_EQUAL(status, MPI_DIST_GRAPH);
    MPI_Dist_graph_neighbors_count(comm, &g.in, &g.out, &g.weighted);
    MPI_Dist_graph_neighbors(comm, g.in, g.sources, g.source_weights, g.out, g.destinations, g.destination_weights);
    return g;
}

static void check_same(MPI_Comm comm, const struct graph *was) {
    struct graph is = look(comm);
    CHECK_EQUAL(is.in, was->in);
    CHECK_EQUAL(is.out, was->out);
    CHECK_EQUAL(is.weighted, was->weighted);
    for (int i = 0; i < is.in; ++i) {
        CHECK_EQUAL(is.sources[i], was->sources[i]);
        if (is.weighted) CHECK_EQUAL(is.source_weights[i], was->source_weights[i]);
    }
    for (int i = 0; i < is.out; ++i) {
        CHECK_EQUAL(is.destinations[i], was->destinations[i]);
        if (is.weighted) CHECK_EQUAL(is.destination_weights[i], was->destination_weights[i]);
    }
    check_comm(comm, size);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "dist_graph");
    MPI_Comm weighted, unweighted, named, lonely, twin;
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    // Twice to the next one, once to oneself, with weights that tell the edges apart.
    int from[3] = {previous, rank, previous}, to[3] = {next, rank, next};
    int in_weights[3] = {100 * previous + 1, 7, 100 * previous + 2},
        out_weights[3] = {100 * rank + 1, 7, 100 * rank + 2};
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 3, from, in_weights, 3, to, out_weights, MPI_INFO_NULL, 0,
                                   &weighted);
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &previous, unweighted_mark, 1, &next, unweighted_mark,
                                   MPI_INFO_NULL, 1, &unweighted);
    // Each names the edge from its predecessor to its successor.
    int degree = 1, weight = 10 + rank;
    MPI_Dist_graph_create(MPI_COMM_WORLD, 1, &previous, &degree, &next, &weight, MPI_INFO_NULL, 0, &named);
    // From all to rank 0 and from nobody to the others.
    int everybody[kMost], ones[kMost], zero = 0;
    for (int i = 0; i < size; ++i) everybody[i] = i, ones[i] = i + 1;
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, rank == 0 ? size : 0, everybody, rank == 0 ? ones : empty_mark, 1,
                                   &zero, &(int){rank + 1}, MPI_INFO_NULL, 0, &lonely);
    MPI_Comm_dup(weighted, &twin);

    struct graph was[4] = {look(weighted), look(unweighted), look(named), look(lonely)};
    CHECK(was[0].weighted && !was[1].weighted && was[2].weighted && was[3].weighted);
    CHECK_EQUAL(was[0].source_weights[2], 100 * previous + 2);
    CHECK_EQUAL(was[2].destination_weights[0], 10 + next);
    CHECK_EQUAL(was[3].in, rank == 0 ? size : 0);
    ready();
    wait_for_go();

    check_same(weighted, &was[0]);
    check_same(unweighted, &was[1]);
    check_same(named, &was[2]);
    check_same(lonely, &was[3]);
    check_same(twin, &was[0]);

    int sum = 0, got[kMost] = {0};
    MPI_Neighbor_allgather(&rank, 1, MPI_INT, got, 1, MPI_INT, lonely);
    for (int i = 0; i < size; ++i) sum += got[i];
    CHECK_EQUAL(sum, rank == 0 ? size * (size - 1) / 2 : 0);
    MPI_Comm_free(&twin);
    MPI_Comm_free(&weighted);
    return finish();
}
