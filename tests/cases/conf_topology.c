// MPI-3.1, 7.4 to 7.7: process topologies.  Cartesian, graph and distributed graph communicators with all inquiry
// functions, mapping, and every neighbourhood collective, blocking and non-blocking, some of them under way at the
// checkpoint; errors of the constructors.
#include "conformance.h"

// The compiler takes MPI_WEIGHTS_EMPTY for an array.
#pragma GCC diagnostic ignored "-Wstringop-overread"

enum { kRoom = 64, kMost = 8 };
static MPI_Comm cart, line, graph, spread, adjacent, no_neighbours;
static MPI_Request pending[16];
static int count, mine[16][kRoom], all[16][kRoom];

static void make(void) {
    int dims[2] = {0, 0}, index[64], edges[128];
    CALL(MPI_Dims_create(size, 2, dims));
    tell_ints("dimensions", dims, 2);
    CALL(MPI_Cart_create(MPI_COMM_WORLD, 2, dims, (int[]){1, 0}, 0, &cart));
    CALL(MPI_Cart_sub(cart, (int[]){1, 0}, &line));
    for (int i = 0; i < size; ++i) {
        index[i] = 2 * (i + 1);
        edges[2 * i] = (i + 1) % size;
        edges[2 * i + 1] = (i + size - 1) % size;
    }
    CALL(MPI_Graph_create(MPI_COMM_WORLD, size, index, edges, 0, &graph));
    int source = rank, degree = 2, targets[2] = {(rank + 1) % size, rank}, weights[2] = {3, 5 + rank};
    CALL(MPI_Dist_graph_create(MPI_COMM_WORLD, 1, &source, &degree, targets, weights, MPI_INFO_NULL, 0, &spread));
    int from = (rank + size - 1) % size, to = (rank + 1) % size;
    CALL(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &from, MPI_UNWEIGHTED, 1, &to, MPI_UNWEIGHTED, MPI_INFO_NULL,
                                        0, &adjacent));
    CALL(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 0, NULL, MPI_WEIGHTS_EMPTY, 0, NULL, MPI_WEIGHTS_EMPTY,
                                        MPI_INFO_NULL, 0, &no_neighbours));
}

// MPI_Dist_graph_create leaves the order of the incoming edges open, natively it differs from run to run; but what it
// was before a restart it has to be afterwards.
static void by_arrival(int *in, int *weights, int ins) {
    static int first[2 * kMost];
    int now[2 * kMost] = {0};
    for (int i = 0; i < ins; ++i) now[2 * i] = in[i], now[2 * i + 1] = weights[i];
    if (first[1] == 0) memcpy(first, now, sizeof now);
    CHECK(memcmp(first, now, sizeof now) == 0);
    for (int i = 0; i < ins; ++i)
        for (int k = i + 1; k < ins; ++k)
            if (in[k] < in[i]) {
                int node = in[k], weight = weights[k];
                in[k] = in[i], weights[k] = weights[i];
                in[i] = node, weights[i] = weight;
            }
}

static void inquire(void) {
    int kind, dims[2], periods[2], place[2], found, from, to, nodes, edges, index[64], list[128], weighted, in[kMost],
        out[kMost], in_weights[kMost], out_weights[kMost];
    MPI_Comm comms[] = {cart, line, graph, spread, adjacent, no_neighbours, MPI_COMM_WORLD};
    for (int i = 0; i < 7; ++i) {
        CALL(MPI_Topo_test(comms[i], &kind));
        TELL(kind);
    }
    CALL(MPI_Cartdim_get(cart, &found));
    TELL(found);
    CALL(MPI_Cart_get(cart, 2, dims, periods, place));
    tell_ints("dims", dims, 2);
    tell_ints("periods", periods, 2);
    tell_ints("place", place, 2);
    CALL(MPI_Cart_get(line, 1, dims, periods, place));
    tell("line %d %d %d", dims[0], periods[0], place[0]);
    for (int r = 0; r < size; ++r) {
        MPI_Cart_coords(cart, r, 2, place);
        MPI_Cart_rank(cart, place, &found);
        tell("rank %d at %d %d is %d", r, place[0], place[1], found);
    }
    CALL(MPI_Cart_rank(cart, (int[]){-1, 0}, &found));
    TELL(found);
    for (int direction = 0; direction < 2; ++direction)
        for (int by = -2; by <= 2; ++by) {
            int code = MPI_Cart_shift(cart, direction, by, &from, &to);
            tell("shift %d by %d: %d, %d to %d", direction, by, code, from, to);
        }
    MPI_Cart_get(cart, 2, dims, periods, place);
    CALL(MPI_Cart_map(MPI_COMM_WORLD, 2, dims, periods, &found));
    TELL(found);
    CALL(MPI_Graphdims_get(graph, &nodes, &edges));
    CALL(MPI_Graph_get(graph, nodes, edges, index, list));
    tell_ints("index", index, nodes);
    tell_ints("edges", list, edges);
    CALL(MPI_Graph_neighbors_count(graph, rank, &found));
    CALL(MPI_Graph_neighbors(graph, rank, found, in));
    tell_ints("neighbours", in, found);
    CALL(MPI_Graph_map(MPI_COMM_WORLD, nodes, index, list, &found));
    TELL(found);
    MPI_Comm spreads[] = {spread, adjacent, no_neighbours};
    for (int i = 0; i < 3; ++i) {
        int ins, outs;
        CALL(MPI_Dist_graph_neighbors_count(spreads[i], &ins, &outs, &weighted));
        tell("%d in, %d out, weighted %d", ins, outs, weighted);
        memset(in_weights, 0, sizeof in_weights);
        memset(out_weights, 0, sizeof out_weights);
        CALL(MPI_Dist_graph_neighbors(spreads[i], kMost, in, in_weights, kMost, out, out_weights));
        if (i == 0) by_arrival(in, in_weights, ins);
        tell_ints("in", in, ins);
        tell_ints("out", out, outs);
        if (weighted) tell_ints("in weights", in_weights, ins);
        if (weighted) tell_ints("out weights", out_weights, outs);
    }
}

static void reset(void) {
    for (int k = 0; k < 16; ++k)
        for (int i = 0; i < kRoom; ++i) {
            mine[k][i] = rank * 1000 + k * 100 + i;
            all[k][i] = -1;
        }
}

static int same[kMost] = {2, 2, 2, 2, 2, 2, 2, 2}, places[kMost] = {0, 4, 8, 12};
static MPI_Aint bytes[kMost] = {0, 16, 32, 48};
static MPI_Datatype types[kMost];

static void neighbours(MPI_Comm comm) {
    for (int i = 0; i < kMost; ++i) types[i] = MPI_INT;
    reset();
    CALL(MPI_Neighbor_allgather(mine[0], 3, MPI_INT, all[0], 3, MPI_INT, comm));
    CALL(MPI_Neighbor_allgatherv(mine[1], 2, MPI_INT, all[1], same, places, MPI_INT, comm));
    CALL(MPI_Neighbor_alltoall(mine[2], 2, MPI_INT, all[2], 2, MPI_INT, comm));
    CALL(MPI_Neighbor_alltoallv(mine[3], same, places, MPI_INT, all[3], same, places, MPI_INT, comm));
    CALL(MPI_Neighbor_alltoallw(mine[4], same, bytes, types, all[4], same, bytes, types, comm));
    for (int i = 0; i < 5; ++i) tell_ints("  all", all[i], 20);
}

static void begin_pending(void) {
    reset();
    count = 0;
#define BEGIN(call) (CALL(call), ++count)
    MPI_Comm comms[] = {cart, graph, adjacent};
    for (int k = 0; k < 3; ++k) {
        MPI_Comm comm = comms[k];
        BEGIN(MPI_Ineighbor_allgather(mine[count], 3, MPI_INT, all[count], 3, MPI_INT, comm, &pending[count]));
        BEGIN(MPI_Ineighbor_allgatherv(mine[count], 2, MPI_INT, all[count], same, places, MPI_INT, comm, &pending[count]));
        BEGIN(MPI_Ineighbor_alltoall(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, comm, &pending[count]));
        BEGIN(MPI_Ineighbor_alltoallv(mine[count], same, places, MPI_INT, all[count], same, places, MPI_INT, comm,
                                      &pending[count]));
        BEGIN(MPI_Ineighbor_alltoallw(mine[count], same, bytes, types, all[count], same, bytes, types, comm,
                                      &pending[count]));
    }
}

static void look(void) {
    if (count) {
        MPI_Status statuses[16];
        CALL(MPI_Waitall(count, pending, statuses));
        for (int i = 0; i < count; ++i) tell_ints("  pending", all[i], 20);
    }
    inquire();
    neighbours(cart);
    neighbours(graph);
    neighbours(adjacent);
    neighbours(no_neighbours);

    int dims[3] = {0, -1, 0}, found, from, to;
    MPI_Comm made;
    CALL(MPI_Dims_create(size, 3, dims));
    CALL(MPI_Dims_create(7, 2, (int[]){2, 0}));
    CALL(MPI_Cart_create(MPI_COMM_WORLD, 1, (int[]){size + 1}, (int[]){0}, 0, &made));
    CALL(MPI_Cart_create(MPI_COMM_WORLD, -1, (int[]){1}, (int[]){0}, 0, &made));
    CALL(MPI_Cart_create(MPI_COMM_NULL, 1, (int[]){1}, (int[]){0}, 0, &made));
    CALL(MPI_Cart_get(graph, 2, dims, dims, dims));
    CALL(MPI_Cart_rank(cart, (int[]){0, 99}, &found));
    CALL(MPI_Cart_coords(cart, size, 2, dims));
    CALL(MPI_Cart_shift(cart, 2, 1, &from, &to));
    CALL(MPI_Cart_shift(MPI_COMM_WORLD, 0, 1, &from, &to));
    CALL(MPI_Cart_sub(MPI_COMM_WORLD, (int[]){1, 0}, &made));
    CALL(MPI_Graph_create(MPI_COMM_WORLD, size + 1, (int[]){0, 0, 0, 0, 0, 0}, NULL, 0, &made));
    CALL(MPI_Graph_neighbors_count(cart, 0, &found));
    CALL(MPI_Graph_neighbors_count(graph, size, &found));
    CALL(MPI_Dist_graph_neighbors_count(cart, &from, &to, &found));
    CALL(MPI_Topo_test(MPI_COMM_NULL, &found));
    CALL(MPI_Neighbor_allgather(mine, 1, MPI_INT, all, 1, MPI_INT, MPI_COMM_WORLD));
    CALL(MPI_Cart_create(MPI_COMM_WORLD, 1, (int[]){1}, (int[]){0}, 0, &made));
    TELL(made == MPI_COMM_NULL);
    if (made != MPI_COMM_NULL) MPI_Comm_free(&made);
    static bool again;
    if (!again) begin_pending();
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_topology", make, look); }
