// Persistent collectives (an extension of this MPI): while one is alive a checkpoint is declined, and each works.
#include "testcase_mpi.h"
#include <mpi-ext.h>

enum { kKinds = 22 };

int main(int argc, char **argv) {
    MPI_Request requests[kKinds];
    MPI_Comm ring;
    int around = 1, n = 0, in[64], out[kKinds][64], ones[8], places[8], twos[2] = {1, 1}, at[2] = {0, 1}, bytes[8];
    MPI_Aint far[2] = {0, sizeof(int)};
    MPI_Datatype types[8];
    start(&argc, &argv, "refuse_persistent_collectives");
    const MPI_Comm world = MPI_COMM_WORLD;
    const MPI_Info none = MPI_INFO_NULL;
    for (int i = 0; i < 64; ++i) in[i] = 10 * rank + i;
    for (int i = 0; i < 8; ++i) ones[i] = 1, places[i] = i, types[i] = MPI_INT, bytes[i] = i * (int)sizeof(int);
    MPI_Cart_create(world, 1, &size, &around, 0, &ring);
    MPIX_Barrier_init(world, none, &requests[n]), ++n;
    MPIX_Bcast_init(out[n], 1, MPI_INT, 0, world, none, &requests[n]), ++n;
    MPIX_Reduce_init(in, out[n], 1, MPI_INT, MPI_SUM, 0, world, none, &requests[n]), ++n;
    MPIX_Allreduce_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Reduce_scatter_init(in, out[n], ones, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Reduce_scatter_block_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Scan_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Exscan_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Gather_init(in, 1, MPI_INT, out[n], 1, MPI_INT, 0, world, none, &requests[n]), ++n;
    MPIX_Gatherv_init(in, 1, MPI_INT, out[n], ones, places, MPI_INT, 0, world, none, &requests[n]), ++n;
    MPIX_Scatter_init(in, 1, MPI_INT, out[n], 1, MPI_INT, 0, world, none, &requests[n]), ++n;
    MPIX_Scatterv_init(in, ones, places, MPI_INT, out[n], 1, MPI_INT, 0, world, none, &requests[n]), ++n;
    MPIX_Allgather_init(in, 1, MPI_INT, out[n], 1, MPI_INT, world, none, &requests[n]), ++n;
    MPIX_Allgatherv_init(in, 1, MPI_INT, out[n], ones, places, MPI_INT, world, none, &requests[n]), ++n;
    MPIX_Alltoall_init(in, 1, MPI_INT, out[n], 1, MPI_INT, world, none, &requests[n]), ++n;
    MPIX_Alltoallv_init(in, ones, places, MPI_INT, out[n], ones, places, MPI_INT, world, none, &requests[n]), ++n;
    MPIX_Alltoallw_init(in, ones, bytes, types, out[n], ones, bytes, types, world, none, &requests[n]), ++n;
    MPIX_Neighbor_allgather_init(in, 1, MPI_INT, out[n], 1, MPI_INT, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_allgatherv_init(in, 1, MPI_INT, out[n], twos, at, MPI_INT, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoall_init(in, 1, MPI_INT, out[n], 1, MPI_INT, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoallv_init(in, twos, at, MPI_INT, out[n], twos, at, MPI_INT, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoallw_init(in, twos, far, types, out[n], twos, far, types, ring, none, &requests[n]), ++n;
    CHECK_EQUAL(n, kKinds);
    ready();
    wait_for_go();
    for (int round = 1; round <= 2; ++round) {
        for (int i = 0; i < 64; ++i) in[i] = 10 * rank + i + round;
        out[1][0] = rank == 0 ? 77 + round : -1;
        for (int i = 0; i < kKinds; ++i) MPI_Start(&requests[i]);
        MPI_Waitall(kKinds, requests, MPI_STATUSES_IGNORE);
        CHECK_EQUAL(out[1][0], 77 + round);
        CHECK_EQUAL(out[3][0], 10 * size * (size - 1) / 2 + size * round);
        CHECK_EQUAL(out[6][0], 10 * rank * (rank + 1) / 2 + (rank + 1) * round);
        for (int r = 0; r < size; ++r) {
            CHECK_EQUAL(out[12][r], 10 * r + round);
            CHECK_EQUAL(out[14][r], 10 * r + rank + round);
            CHECK_EQUAL(out[16][r], 10 * r + rank + round);
        }
        CHECK_EQUAL(out[17][0], 10 * ((rank + size - 1) % size) + round);
    }
    for (int i = 0; i < kKinds; ++i) MPI_Request_free(&requests[i]);
    MPI_Comm_free(&ring);
    return finish();
}
