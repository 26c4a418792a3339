// Neighbourhood collectives on all three kinds of topology, blocking and not, before and after the cut; those that are
// not blocking are pending at it (MPI-3.1, 7.6 and 7.7).
#include "testcase_mpi.h"

enum { kMost = 8, kKinds = 3 };

static MPI_Comm comms[kKinds];
static int previous, next;
int *unweighted = MPI_UNWEIGHTED;  // not static, so no constant to gcc, which would warn of its address

static int value(int from, int round) { return 1000 * round + from; }

// Every topology is the ring: two neighbours, the previous one first.
static void check_all(int round) {
    for (int kind = 0; kind < kKinds; ++kind) {
        MPI_Comm comm = comms[kind];
        int mine = value(rank, round), got[2] = {-1, -1};
        MPI_Neighbor_allgather(&mine, 1, MPI_INT, got, 1, MPI_INT, comm);
        CHECK_EQUAL(got[0], value(previous, round));
        CHECK_EQUAL(got[1], value(next, round));

        int counts[2] = {1, 1}, places[2] = {1, 0}, swapped[2] = {-1, -1};
        MPI_Neighbor_allgatherv(&mine, 1, MPI_INT, swapped, counts, places, MPI_INT, comm);
        CHECK_EQUAL(swapped[1], value(previous, round));
        CHECK_EQUAL(swapped[0], value(next, round));

        // Three ranks at least: else it is not defined which of two edges between the same ranks is which.
        if (size < 3) continue;
        int out[2] = {value(rank, round) + 1, value(rank, round) + 2};
        MPI_Neighbor_alltoall(out, 1, MPI_INT, got, 1, MPI_INT, comm);
        CHECK_EQUAL(got[0], value(previous, round) + 2);
        CHECK_EQUAL(got[1], value(next, round) + 1);
        MPI_Neighbor_alltoallv(out, counts, places, MPI_INT, got, counts, places, MPI_INT, comm);
        CHECK_EQUAL(got[1], value(previous, round) + 1);
        CHECK_EQUAL(got[0], value(next, round) + 2);
        MPI_Aint bytes[2] = {0, sizeof(int)};
        MPI_Datatype types[2] = {MPI_INT, MPI_INT};
        MPI_Neighbor_alltoallw(out, counts, bytes, types, got, counts, bytes, types, comm);
        CHECK_EQUAL(got[0], value(previous, round) + 2);
        CHECK_EQUAL(got[1], value(next, round) + 1);
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "neighbor_collectives");
    previous = (rank + size - 1) % size, next = (rank + 1) % size;
    int periodic = 1, index[kMost], edges[2 * kMost], neighbours[2] = {previous, next};
    for (int i = 0; i < size; ++i) {
        index[i] = 2 * (i + 1);
        edges[2 * i] = (i + size - 1) % size;
        edges[2 * i + 1] = (i + 1) % size;
    }
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &periodic, 0, &comms[0]);
    MPI_Graph_create(MPI_COMM_WORLD, size, index, edges, 0, &comms[1]);
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 2, neighbours, unweighted, 2, neighbours, unweighted, MPI_INFO_NULL,
                                   0, &comms[2]);
    check_all(1);

    MPI_Request requests[2 * kKinds];
    int mine = value(rank, 2), gathered[kKinds][2], exchanged[kKinds][2], out[2] = {mine, mine};
    for (int kind = 0; kind < kKinds; ++kind) {
        MPI_Ineighbor_allgather(&mine, 1, MPI_INT, gathered[kind], 1, MPI_INT, comms[kind], &requests[2 * kind]);
        MPI_Ineighbor_alltoall(out, 1, MPI_INT, exchanged[kind], 1, MPI_INT, comms[kind], &requests[2 * kind + 1]);
    }
    ready();
    wait_for_go();

    MPI_Waitall(2 * kKinds, requests, MPI_STATUSES_IGNORE);
    for (int kind = 0; kind < kKinds; ++kind) {
        CHECK_EQUAL(gathered[kind][0], value(previous, 2));
        CHECK_EQUAL(gathered[kind][1], value(next, 2));
        CHECK_EQUAL(exchanged[kind][0], value(previous, 2));
        CHECK_EQUAL(exchanged[kind][1], value(next, 2));
    }
    check_all(3);
    return finish();
}
