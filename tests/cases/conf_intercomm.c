// MPI-3.1, 5.2.2, 6.6 and 5.x.x "over intercommunicators": intercommunicators, made in several ways, with all
// collectives that are defined on them, blocking and not, some under way at the checkpoint; point to point; merging.
#include "conformance.h"

enum { kRoom = 32, kMost = 24 };
static MPI_Comm half, inter, copy, part;
static MPI_Request requests[kMost];
static int mine[kMost][kRoom], all[kMost][kRoom], count, side, others, me;

static void make(void) {
    side = rank % 2;
    CALL(MPI_Comm_split(MPI_COMM_WORLD, side, rank, &half));
    CALL(MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - side, 7, &inter));
    CALL(MPI_Comm_dup(inter, &copy));
    CALL(MPI_Comm_split(inter, 0, -rank, &part));
    MPI_Comm_set_errhandler(inter, MPI_ERRORS_RETURN);
    MPI_Comm_remote_size(inter, &others);
    MPI_Comm_rank(inter, &me);
}

static void reset(void) {
    for (int k = 0; k < kMost; ++k)
        for (int i = 0; i < kRoom; ++i) mine[k][i] = rank * 1000 + k * 50 + i, all[k][i] = -1;
}

static void tell_all(void) {
    for (int k = 0; k < count; ++k) tell_ints("  all", all[k], kRoom);
}

static int counts[8] = {2, 2, 2, 2, 2, 2, 2, 2}, places[8] = {0, 3, 6, 9, 12, 15, 18, 21},
           bytes[8] = {0, 16, 32, 48, 64, 80, 96, 112};
static MPI_Datatype types[8];

// Group 0 has the root, its rank 0; group 1 receives or sends.
static int root_for(int rooted) { return side != rooted ? 0 : me == 0 ? MPI_ROOT : MPI_PROC_NULL; }

static void blocking(MPI_Comm comm) {
    reset();
    count = 0;
#define NEXT(call) (CALL(call), ++count)
    int root = root_for(0), share[8] = {0};
    int locals;
    MPI_Comm_size(comm, &locals);
    for (int i = 0; i < 8; ++i) types[i] = MPI_INT;
    for (int i = 0; i < locals; ++i) share[i] = others == locals ? 1 : 0;
    NEXT(MPI_Barrier(comm));
    NEXT(MPI_Bcast(root == MPI_ROOT ? mine[count] : all[count], 4, MPI_INT, root, comm));
    NEXT(MPI_Gather(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, root, comm));
    NEXT(MPI_Gatherv(mine[count], 2, MPI_INT, all[count], counts, places, MPI_INT, root, comm));
    NEXT(MPI_Scatter(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, root, comm));
    NEXT(MPI_Scatterv(mine[count], counts, places, MPI_INT, all[count], 2, MPI_INT, root, comm));
    NEXT(MPI_Allgather(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, comm));
    NEXT(MPI_Allgatherv(mine[count], 2, MPI_INT, all[count], counts, places, MPI_INT, comm));
    NEXT(MPI_Alltoall(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, comm));
    NEXT(MPI_Alltoallv(mine[count], counts, places, MPI_INT, all[count], counts, places, MPI_INT, comm));
    NEXT(MPI_Alltoallw(mine[count], counts, bytes, types, all[count], counts, bytes, types, comm));
    NEXT(MPI_Reduce(mine[count], all[count], 3, MPI_INT, MPI_SUM, root, comm));
    NEXT(MPI_Allreduce(mine[count], all[count], 3, MPI_INT, MPI_MAX, comm));
    NEXT(MPI_Reduce_scatter(mine[count], all[count], share, MPI_INT, MPI_SUM, comm));
    if (others == locals) NEXT(MPI_Reduce_scatter_block(mine[count], all[count], 2, MPI_INT, MPI_SUM, comm));
    tell_all();
}

static void begin_pending(void) {
    reset();
    count = 0;
    int root = root_for(1);
#define BEGIN(call) (CALL(call), ++count)
    BEGIN(MPI_Ibarrier(inter, &requests[count]));
    BEGIN(MPI_Ibcast(root == MPI_ROOT ? mine[count] : all[count], 4, MPI_INT, root, inter, &requests[count]));
    BEGIN(MPI_Igather(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, root, inter, &requests[count]));
    BEGIN(MPI_Igatherv(mine[count], 2, MPI_INT, all[count], counts, places, MPI_INT, root, inter, &requests[count]));
    BEGIN(MPI_Iscatter(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, root, inter, &requests[count]));
    BEGIN(MPI_Iscatterv(mine[count], counts, places, MPI_INT, all[count], 2, MPI_INT, root, inter, &requests[count]));
    BEGIN(MPI_Iallgather(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, inter, &requests[count]));
    BEGIN(MPI_Iallgatherv(mine[count], 2, MPI_INT, all[count], counts, places, MPI_INT, inter, &requests[count]));
    BEGIN(MPI_Ialltoall(mine[count], 2, MPI_INT, all[count], 2, MPI_INT, inter, &requests[count]));
    BEGIN(MPI_Ialltoallv(mine[count], counts, places, MPI_INT, all[count], counts, places, MPI_INT, inter,
                         &requests[count]));
    BEGIN(MPI_Ialltoallw(mine[count], counts, bytes, types, all[count], counts, bytes, types, inter, &requests[count]));
    BEGIN(MPI_Ireduce(mine[count], all[count], 3, MPI_INT, MPI_SUM, root, inter, &requests[count]));
    BEGIN(MPI_Iallreduce(mine[count], all[count], 3, MPI_INT, MPI_MAX, inter, &requests[count]));
}

static void look(void) {
    int result, remote, members, got = -1;
    MPI_Group group, local;
    MPI_Comm merged;
    MPI_Status status;
    static bool again;
    if (again) {
        CALL(MPI_Waitall(count, requests, MPI_STATUSES_IGNORE));
        tell_all();
    }
    MPI_Comm comms[] = {inter, copy, part};
    for (int i = 0; i < 3; ++i) {
        MPI_Comm_test_inter(comms[i], &result);
        MPI_Comm_remote_size(comms[i], &remote);
        MPI_Comm_size(comms[i], &members);
        tell("inter %d: %d and %d", result, members, remote);
        MPI_Comm_compare(comms[i], inter, &result);
        TELL(result);
    }
    CALL(MPI_Comm_remote_group(inter, &group));
    CALL(MPI_Comm_group(inter, &local));
    MPI_Group_compare(group, local, &result);
    TELL(result);
    MPI_Group_size(group, &remote);
    TELL(remote);
    MPI_Group_free(&group);
    MPI_Group_free(&local);
    for (int high = 0; high < 2; ++high) {
        CALL(MPI_Intercomm_merge(inter, side == high, &merged));
        MPI_Comm_rank(merged, &result);
        TELL(result);
        check_comm(merged, size);
        MPI_Comm_free(&merged);
    }
    blocking(inter);
    blocking(copy);
    if (me < others && others * 2 == size) {
        CALL(MPI_Sendrecv(&rank, 1, MPI_INT, me, 3, &got, 1, MPI_INT, me, 3, inter, &status));
        TELL(got);
        tell_status("from the other side", &status, MPI_INT, false);
    }
    int data[8];
    CALL(MPI_Send(data, 1, MPI_INT, others, 0, inter));
    CALL(MPI_Bcast(data, 1, MPI_INT, others + 3, inter));
    CALL(MPI_Cart_create(inter, 1, (int[]){1}, (int[]){0}, 0, &merged));
    CALL(MPI_Intercomm_merge(MPI_COMM_WORLD, 0, &merged));
    CALL(MPI_Intercomm_create(MPI_COMM_NULL, 0, MPI_COMM_WORLD, 0, 0, &merged));
    if (!again) begin_pending();
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_intercomm", make, look); }
