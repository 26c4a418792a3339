// Persistent collectives (an extension of this MPI; MPI-4.0, 6.13) over the cut: idle, started, complete and not waited
// for; some freed by some ranks only; made with counts that are gone; on several communicators.  (One whose datatype or
// operation has been freed may no longer be started with Open MPI 4.1, but it may be alive.)
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"
#include <mpi-ext.h>

enum { kKinds = 22, kRoot = 0 };

static void add(void *in, void *inout, int *length, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *length; ++i) ((int *)inout)[i] += ((int *)in)[i];
}

static MPI_Request requests[kKinds];
static int in[64], out[kKinds][64];

static void make(MPI_Comm world, MPI_Comm ring, MPI_Op op) {
    int *ones = malloc(8 * sizeof(int)), *places = malloc(8 * sizeof(int)), *bytes = malloc(8 * sizeof(int));
    int twos[2] = {1, 1}, at[2] = {0, 1}, n = 0;
    MPI_Aint far[2] = {0, sizeof(int)};
    MPI_Datatype types[8], one;
    MPI_Info none;
    MPI_Info_create(&none);
    MPI_Type_contiguous(1, MPI_INT, &one);
    MPI_Type_commit(&one);
    for (int i = 0; i < 8; ++i) ones[i] = 1, places[i] = i, types[i] = one, bytes[i] = i * (int)sizeof(int);
    MPIX_Barrier_init(world, none, &requests[n]), ++n;
    MPIX_Bcast_init(out[n], 1, one, kRoot, world, none, &requests[n]), ++n;
    MPIX_Reduce_init(in, out[n], 1, MPI_INT, op, kRoot, world, none, &requests[n]), ++n;
    MPIX_Allreduce_init(in, out[n], 1, MPI_INT, op, world, none, &requests[n]), ++n;
    MPIX_Reduce_scatter_init(in, out[n], ones, MPI_INT, op, world, none, &requests[n]), ++n;
    MPIX_Reduce_scatter_block_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Scan_init(in, out[n], 1, MPI_INT, op, world, none, &requests[n]), ++n;
    MPIX_Exscan_init(in, out[n], 1, MPI_INT, MPI_SUM, world, none, &requests[n]), ++n;
    MPIX_Gather_init(in, 1, one, out[n], 1, one, kRoot, world, none, &requests[n]), ++n;
    MPIX_Gatherv_init(in, 1, one, out[n], rank == kRoot ? ones : NULL, rank == kRoot ? places : NULL, one, kRoot, world,
                      none, &requests[n]), ++n;
    MPIX_Scatter_init(in, 1, one, out[n], 1, one, kRoot, world, none, &requests[n]), ++n;
    MPIX_Scatterv_init(in, rank == kRoot ? ones : NULL, rank == kRoot ? places : NULL, one, out[n], 1, one, kRoot, world,
                       none, &requests[n]), ++n;
    MPIX_Allgather_init(in, 1, one, out[n], 1, one, world, none, &requests[n]), ++n;
    MPIX_Allgatherv_init(in, 1, one, out[n], ones, places, one, world, none, &requests[n]), ++n;
    MPIX_Alltoall_init(in, 1, one, out[n], 1, one, world, none, &requests[n]), ++n;
    MPIX_Alltoallv_init(in, ones, places, one, out[n], ones, places, one, world, none, &requests[n]), ++n;
    MPIX_Alltoallw_init(in, ones, bytes, types, out[n], ones, bytes, types, world, none, &requests[n]), ++n;
    MPIX_Neighbor_allgather_init(in, 1, one, out[n], 1, one, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_allgatherv_init(in, 1, one, out[n], twos, at, one, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoall_init(in, 1, one, out[n], 1, one, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoallv_init(in, twos, at, one, out[n], twos, at, one, ring, none, &requests[n]), ++n;
    MPIX_Neighbor_alltoallw_init(in, twos, far, types, out[n], twos, far, types, ring, none, &requests[n]), ++n;
    CHECK_EQUAL(n, kKinds);
    memset(ones, 99, 8 * sizeof(int));
    memset(places, 99, 8 * sizeof(int));
    memset(bytes, 99, 8 * sizeof(int));
    free(ones);
    free(places);
    free(bytes);
    MPI_Info_free(&none);
}

static void prepare(int round) {
    for (int i = 0; i < 64; ++i) in[i] = 100 * rank + i + round;
    memset(out, -1, sizeof out);
    if (rank == kRoot) out[1][0] = 77 + round;
}

// What the definitions of the operations give.
static void check(int round) {
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    CHECK_EQUAL(out[1][0], 77 + round);
    const int sum = 100 * size * (size - 1) / 2 + size * round;
    if (rank == kRoot) CHECK_EQUAL(out[2][0], sum);
    CHECK_EQUAL(out[3][0], sum);
    CHECK_EQUAL(out[4][0], sum + size * rank);
    CHECK_EQUAL(out[5][0], sum + size * rank);
    CHECK_EQUAL(out[6][0], 100 * rank * (rank + 1) / 2 + (rank + 1) * round);
    if (rank > 0) CHECK_EQUAL(out[7][0], 100 * rank * (rank - 1) / 2 + rank * round);
    CHECK_EQUAL(out[10][0], 100 * kRoot + rank + round);
    CHECK_EQUAL(out[11][0], 100 * kRoot + rank + round);
    for (int r = 0; r < size; ++r) {
        for (int k = 8; k <= 9; ++k)
            if (rank == kRoot) CHECK_EQUAL(out[k][r], 100 * r + round);
        for (int k = 12; k <= 13; ++k) CHECK_EQUAL(out[k][r], 100 * r + round);
        for (int k = 14; k <= 16; ++k) CHECK_EQUAL(out[k][r], 100 * r + rank + round);
    }
    for (int k = 17; k <= 18; ++k) {
        CHECK_EQUAL(out[k][0], 100 * left + round);
        CHECK_EQUAL(out[k][1], 100 * right + round);
    }
    for (int k = 19; k <= 21; ++k) {
        // The left one's second entry, the right one's first; with one neighbour on both sides, in either order.
        if (size > 2) CHECK_EQUAL(out[k][0], 100 * left + 1 + round);
        CHECK_EQUAL(out[k][0] + out[k][1], 100 * (left + right) + 1 + 2 * round);
    }
}

int main(int argc, char **argv) {
    int around = 1, old = -1, sums[2] = {0, 0};
    MPI_Comm ring, other;
    MPI_Op op, gone_op;
    MPI_Request burnt[3], late, sum, never[2];
    MPI_Datatype gone;
    start(&argc, &argv, "persistent_collectives");
    CHECK(size <= 8);
    MPI_Cart_create(MPI_COMM_WORLD, 1, &size, &around, 0, &ring);
    MPI_Comm_dup(MPI_COMM_WORLD, &other);
    MPI_Op_create(add, 1, &op);
    for (int i = 0; i < 3; ++i) MPIX_Barrier_init(MPI_COMM_WORLD, MPI_INFO_NULL, &burnt[i]);
    make(MPI_COMM_WORLD, ring, op);
    MPIX_Allreduce_init(&rank, &sums[0], 1, MPI_INT, op, other, MPI_INFO_NULL, &sum);
    MPI_Type_contiguous(2, MPI_INT, &gone);
    MPI_Type_commit(&gone);
    MPIX_Bcast_init(sums, 1, gone, 0, other, MPI_INFO_NULL, &never[0]);
    MPI_Type_free(&gone);
    MPI_Op_create(add, 1, &gone_op);
    MPIX_Allreduce_init(&rank, sums, 1, MPI_INT, gone_op, other, MPI_INFO_NULL, &never[1]);
    MPI_Op_free(&gone_op);
    MPI_Request_free(&burnt[0]);
    if (rank % 2 == 1) MPI_Request_free(&burnt[1]); /* by some only */
    prepare(1);
    MPI_Startall(kKinds, requests);
    MPI_Waitall(kKinds, requests, MPI_STATUSES_IGNORE);
    check(1);
    // At the cut: half of them idle, half started.
    prepare(2);
    for (int i = 0; i < kKinds; i += 2) MPI_Start(&requests[i]);
    MPI_Start(&sum);
    ready();
    wait_for_go();

    for (int i = 1; i < kKinds; i += 2) MPI_Start(&requests[i]);
    MPI_Waitall(kKinds, requests, MPI_STATUSES_IGNORE);
    check(2);
    MPI_Wait(&sum, MPI_STATUS_IGNORE);
    CHECK_EQUAL(sums[0], size * (size - 1) / 2);
    MPIX_Bcast_init(&old, 1, MPI_INT, size - 1, MPI_COMM_WORLD, MPI_INFO_NULL, &late);
    if (rank == size - 1) old = 4711;
    if (rank % 2 == 0) MPI_Request_free(&burnt[1]);
    MPI_Start(&burnt[2]);
    MPI_Start(&late);
    for (int round = 3; round < 6; ++round) {
        prepare(round);
        MPI_Startall(kKinds, requests);
        MPI_Waitall(kKinds, requests, MPI_STATUSES_IGNORE);
        check(round);
    }
    MPI_Wait(&late, MPI_STATUS_IGNORE);
    CHECK_EQUAL(old, 4711);
    MPI_Wait(&burnt[2], MPI_STATUS_IGNORE);
    for (int i = 0; i < kKinds; ++i) MPI_Request_free(&requests[i]);
    MPI_Request_free(&sum);
    MPI_Request_free(&late);
    MPI_Request_free(&burnt[2]);
    for (int i = 0; i < 2; ++i) MPI_Request_free(&never[i]);
    MPI_Op_free(&op);
    MPI_Comm_free(&other);
    MPI_Comm_free(&ring);
    return finish();
}
