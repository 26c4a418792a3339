// The non-blocking neighbourhood collectives with counts, places and types, over the cut, on a ring that is a Cartesian
// grid and on one that is a distributed graph (MPI-3.1, 7.6 and 7.7).
#include "testcase_mpi.h"

enum { kRequests = 3 };

static int send[2], gathered[2][4], exchanged[2][2], typed[2][2], counts[2] = {1, 1}, places[2] = {0, 1};
static MPI_Aint bytes[2] = {0, sizeof(int)};

static void start_all(int k, MPI_Comm comm, MPI_Request *requests) {
    static MPI_Datatype types[2];
    static int gather_counts[2] = {2, 2}, gather_places[2] = {0, 2};
    types[0] = types[1] = MPI_INT;
    send[0] = 10 * rank;
    send[1] = 10 * rank + 1;
    MPI_Ineighbor_allgatherv(send, 2, MPI_INT, gathered[k], gather_counts, gather_places, MPI_INT, comm, &requests[0]);
    MPI_Ineighbor_alltoallv(send, counts, places, MPI_INT, exchanged[k], counts, places, MPI_INT, comm, &requests[1]);
    MPI_Ineighbor_alltoallw(send, counts, bytes, types, typed[k], counts, bytes, types, comm, &requests[2]);
}

static void check_all(int k) {
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    CHECK_EQUAL(gathered[k][0], 10 * left);
    CHECK_EQUAL(gathered[k][1], 10 * left + 1);
    CHECK_EQUAL(gathered[k][2], 10 * right);
    CHECK_EQUAL(gathered[k][3], 10 * right + 1);
    if (size <= 2) return; /* to one neighbour twice: which of both is meant is not told apart by all versions */
    CHECK_EQUAL(exchanged[k][0], 10 * left + 1);
    CHECK_EQUAL(exchanged[k][1], 10 * right);
    CHECK_EQUAL(typed[k][0], 10 * left + 1);
    CHECK_EQUAL(typed[k][1], 10 * right);
}

int main(int argc, char **argv) {
    int around = 1, neighbours[2], weights[2] = {1, 1};
    MPI_Comm ring[2];
    MPI_Request requests[2][kRequests];
    start(&argc, &argv, "conf_neighbour_collectives");
    neighbours[0] = (rank + size - 1) % size;
    neighbours[1] = (rank + 1) % size;
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &around, 0, &ring[0]);
    MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 2, neighbours, weights, 2, neighbours, weights,
                                   MPI_INFO_NULL, 0, &ring[1]);
    for (int k = 0; k < 2; ++k) start_all(k, ring[k], requests[k]);
    ready();
    wait_for_go();
    for (int again = 0; again < 2; ++again)
        for (int k = 0; k < 2; ++k) {
            if (again) start_all(k, ring[k], requests[k]);
            MPI_Waitall(kRequests, requests[k], MPI_STATUSES_IGNORE);
            check_all(k);
        }
    return finish();
}
