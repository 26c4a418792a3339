// Persistent collectives, an extension of Open MPI 4.1 (MPI-4.0, 6.12): all of them are made, started twice and given back.
// While one lives a checkpoint is declined, so none is alive at the checkpoint; afterwards they are gone through again.
#include "conformance.h"
// Relies on mpi.h.
#include <mpi-ext.h>

enum { kMembers = 8, kRoom = 40, kMost = 24 };
static MPI_Comm comm, ring;
static int mine[kRoom], all[kRoom], counts[kMembers], places[kMembers], bytes[kMembers];
static MPI_Aint far_places[kMembers];
static MPI_Datatype types[kMembers];

static void make(void) {
    CHECK(size <= kMembers);
    CALL(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    CALL(MPI_Cart_create(comm, 1, &size, (int[]){1}, 0, &ring));
    for (int i = 0; i < kMembers; ++i) {
        counts[i] = 2;
        places[i] = 3 * i;
        bytes[i] = 16 * i;
        far_places[i] = 16 * i;
        types[i] = MPI_INT;
    }
}

static void use(const char *name, int code, MPI_Request *request) {
    tell("%s: %d", name, code);
    for (int turn = 0; turn < 2 && code == MPI_SUCCESS; ++turn) {
        for (int i = 0; i < kRoom; ++i) mine[i] = rank * 100 + i + turn, all[i] = -1;
        int started = turn ? MPI_Startall(1, request) : MPI_Start(request);
        tell("  start %d, wait %d", started, MPI_Wait(request, MPI_STATUS_IGNORE));
        tell_ints("  all", all, kRoom);
        TELL(*request == MPI_REQUEST_NULL);
    }
    if (code == MPI_SUCCESS) tell("  free %d", MPI_Request_free(request));
}
#define USE(name, ...) use(#name, name(__VA_ARGS__, MPI_INFO_NULL, &request), &request)

static void look(void) {
    MPI_Request request;
    int root = size - 1;
    USE(MPIX_Barrier_init, comm);
    USE(MPIX_Bcast_init, rank == root ? mine : all, 4, MPI_INT, root, comm);
    USE(MPIX_Gather_init, mine, 2, MPI_INT, all, 2, MPI_INT, root, comm);
    USE(MPIX_Gatherv_init, mine, 2, MPI_INT, all, counts, places, MPI_INT, root, comm);
    USE(MPIX_Scatter_init, mine, 2, MPI_INT, all, 2, MPI_INT, root, comm);
    USE(MPIX_Scatterv_init, mine, counts, places, MPI_INT, all, 2, MPI_INT, root, comm);
    USE(MPIX_Allgather_init, mine, 2, MPI_INT, all, 2, MPI_INT, comm);
    USE(MPIX_Allgatherv_init, mine, 2, MPI_INT, all, counts, places, MPI_INT, comm);
    USE(MPIX_Alltoall_init, mine, 2, MPI_INT, all, 2, MPI_INT, comm);
    USE(MPIX_Alltoallv_init, mine, counts, places, MPI_INT, all, counts, places, MPI_INT, comm);
    USE(MPIX_Alltoallw_init, mine, counts, bytes, types, all, counts, bytes, types, comm);
    USE(MPIX_Reduce_init, mine, all, 3, MPI_INT, MPI_SUM, root, comm);
    USE(MPIX_Allreduce_init, mine, all, 3, MPI_INT, MPI_SUM, comm);
    USE(MPIX_Reduce_scatter_init, mine, all, counts, MPI_INT, MPI_SUM, comm);
    USE(MPIX_Reduce_scatter_block_init, mine, all, 2, MPI_INT, MPI_SUM, comm);
    USE(MPIX_Scan_init, mine, all, 2, MPI_INT, MPI_SUM, comm);
    USE(MPIX_Exscan_init, mine, all, 2, MPI_INT, MPI_SUM, comm);
    USE(MPIX_Neighbor_allgather_init, mine, 2, MPI_INT, all, 2, MPI_INT, ring);
    USE(MPIX_Neighbor_allgatherv_init, mine, 2, MPI_INT, all, counts, places, MPI_INT, ring);
    USE(MPIX_Neighbor_alltoall_init, mine, 2, MPI_INT, all, 2, MPI_INT, ring);
    USE(MPIX_Neighbor_alltoallv_init, mine, counts, places, MPI_INT, all, counts, places, MPI_INT, ring);
    USE(MPIX_Neighbor_alltoallw_init, mine, counts, far_places, types, all, counts, far_places, types, ring);
    USE(MPIX_Bcast_init, mine, 4, MPI_INT, size, comm);
    USE(MPIX_Allreduce_init, mine, all, 3, MPI_INT, MPI_OP_NULL, comm);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_persistent_collectives", make, look); }
