// MPI-3.1, 5.3 to 5.11: blocking collectives on intracommunicators.  All of them with different roots, counts and
// displacements, derived types, MPI_IN_PLACE where it is allowed, nothing to send; and the errors of wrong arguments.
#include "conformance.h"

enum { kMembers = 8, kEach = 6, kRoom = kMembers * kEach * 2 };
static MPI_Comm comm;
static MPI_Datatype spaced;  // two ints with a hole between them
static MPI_Op composition;   // of linear functions: associative, not commutative
static int mine[kRoom], all[kRoom], counts[kMembers], places[kMembers], sums[kMembers];

static void compose(void *in, void *inout, int *length, MPI_Datatype *type) {
    int *a = in, *b = inout;
    CHECK(*type == MPI_2INT);
    for (int i = 0; i < *length; ++i) {
        b[2 * i + 1] = a[2 * i] * b[2 * i + 1] + a[2 * i + 1];
        b[2 * i] = a[2 * i] * b[2 * i];
    }
}

static void make(void) {
    CHECK(size <= kMembers);
    CALL(MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &comm));
    MPI_Datatype vector;
    CALL(MPI_Type_vector(2, 1, 2, MPI_INT, &vector));
    CALL(MPI_Type_create_resized(vector, 0, 4 * sizeof(int), &spaced));
    CALL(MPI_Type_free(&vector));
    CALL(MPI_Type_commit(&spaced));
    CALL(MPI_Op_create(compose, 0, &composition));
}

static void reset(void) {
    for (int i = 0; i < kRoom; ++i) {
        mine[i] = rank * 100 + i;
        all[i] = -1;
    }
    for (int i = 0; i < size; ++i) {
        counts[i] = i % 3;
        places[i] = (size - 1 - i) * 3;
    }
}

#define SHOW(call)                         \
    do {                                   \
        reset();                           \
        CALL(call);                        \
        tell_ints("  all", all, kRoom);    \
        tell_ints("  mine", mine, kRoom);  \
    } while (0)

static void data_movement(int root, int me) {
    SHOW(MPI_Bcast(all, me == root ? 3 : 3, MPI_INT, root, comm));
    SHOW(MPI_Bcast(mine, 2, spaced, root, comm));
    SHOW(MPI_Gather(mine, 3, MPI_INT, all, 3, MPI_INT, root, comm));
    SHOW(MPI_Gather(me == root ? MPI_IN_PLACE : mine, 2, MPI_INT, all, 2, MPI_INT, root, comm));
    SHOW(MPI_Gather(mine, 1, spaced, all, 2, MPI_INT, root, comm));
    SHOW(MPI_Gatherv(mine, counts[me], MPI_INT, all, counts, places, MPI_INT, root, comm));
    SHOW(MPI_Gatherv(me == root ? MPI_IN_PLACE : mine, counts[me], MPI_INT, all, counts, places, MPI_INT, root, comm));
    SHOW(MPI_Scatter(mine, 3, MPI_INT, all, 3, MPI_INT, root, comm));
    SHOW(MPI_Scatter(mine, 3, MPI_INT, me == root ? MPI_IN_PLACE : all, 3, MPI_INT, root, comm));
    SHOW(MPI_Scatterv(mine, counts, places, MPI_INT, all, counts[me], MPI_INT, root, comm));
    SHOW(MPI_Scatterv(mine, counts, places, MPI_INT, me == root ? MPI_IN_PLACE : all, counts[me], MPI_INT, root, comm));
    SHOW(MPI_Allgather(mine, 3, MPI_INT, all, 3, MPI_INT, comm));
    SHOW(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, mine, 3, MPI_INT, comm));
    SHOW(MPI_Allgatherv(mine, counts[me], MPI_INT, all, counts, places, MPI_INT, comm));
    SHOW(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, mine, counts, places, MPI_INT, comm));
    SHOW(MPI_Alltoall(mine, 3, MPI_INT, all, 3, MPI_INT, comm));
    SHOW(MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, mine, 3, MPI_INT, comm));
    int same[kMembers];
    for (int i = 0; i < size; ++i) same[i] = 2;
    SHOW(MPI_Alltoallv(mine, same, places, MPI_INT, all, same, places, MPI_INT, comm));
    SHOW(MPI_Alltoallv(MPI_IN_PLACE, NULL, NULL, MPI_DATATYPE_NULL, mine, same, places, MPI_INT, comm));
    MPI_Datatype types[kMembers];
    int bytes[kMembers], one[kMembers];
    for (int i = 0; i < size; ++i) {
        types[i] = i % 2 ? spaced : MPI_2INT;
        bytes[i] = 16 * i;
        one[i] = 1;
    }
    SHOW(MPI_Alltoallw(mine, same, bytes, (MPI_Datatype[]){MPI_INT, MPI_INT, MPI_INT, MPI_INT, MPI_INT, MPI_INT, MPI_INT, MPI_INT},
                       all, one, bytes, types, comm));
    SHOW(MPI_Alltoallw(MPI_IN_PLACE, NULL, NULL, NULL, mine, one, bytes, types, comm));
    CALL(MPI_Barrier(comm));
}

static void reductions(int root, int me) {
    for (int i = 0; i < size; ++i) sums[i] = 1 + i % 2;
    SHOW(MPI_Reduce(mine, all, 4, MPI_INT, MPI_SUM, root, comm));
    SHOW(MPI_Reduce(me == root ? MPI_IN_PLACE : mine, mine, 4, MPI_INT, MPI_MAX, root, comm));
    SHOW(MPI_Reduce(mine, all, 2, MPI_2INT, composition, root, comm));
    SHOW(MPI_Reduce(mine, all, 2, MPI_2INT, MPI_MINLOC, root, comm));
    SHOW(MPI_Allreduce(mine, all, 4, MPI_INT, MPI_BXOR, comm));
    SHOW(MPI_Allreduce(MPI_IN_PLACE, mine, 4, MPI_INT, MPI_PROD, comm));
    SHOW(MPI_Allreduce(mine, all, 2, MPI_2INT, composition, comm));
    SHOW(MPI_Reduce_scatter(mine, all, sums, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Reduce_scatter(MPI_IN_PLACE, mine, sums, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Reduce_scatter(mine, all, sums, MPI_2INT, composition, comm));
    SHOW(MPI_Reduce_scatter_block(mine, all, 2, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Reduce_scatter_block(MPI_IN_PLACE, mine, 2, MPI_INT, MPI_MIN, comm));
    SHOW(MPI_Reduce_scatter_block(mine, all, 1, MPI_2INT, composition, comm));
    SHOW(MPI_Scan(mine, all, 4, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Scan(MPI_IN_PLACE, mine, 4, MPI_INT, MPI_BOR, comm));
    SHOW(MPI_Scan(mine, all, 2, MPI_2INT, composition, comm));
    SHOW(MPI_Exscan(mine, all, 4, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Exscan(MPI_IN_PLACE, mine, 4, MPI_INT, MPI_SUM, comm));
    SHOW(MPI_Exscan(mine, all, 2, MPI_2INT, composition, comm));
    SHOW(MPI_Reduce_local(mine, all, 4, MPI_INT, MPI_SUM));
    SHOW(MPI_Reduce_local(mine, mine + 10, 2, MPI_2INT, composition));
    SHOW(MPI_Reduce(NULL, NULL, 0, MPI_INT, MPI_SUM, root, comm));
    SHOW(MPI_Allreduce(NULL, NULL, 0, MPI_INT, MPI_SUM, comm));
}

// Only what every rank finds wrong by itself, before anything is sent.
static void errors(void) {
    reset();
    CALL(MPI_Bcast(all, 1, MPI_INT, size, comm));
    CALL(MPI_Bcast(all, -1, MPI_INT, 0, comm));
    CALL(MPI_Bcast(all, 1, MPI_DATATYPE_NULL, 0, comm));
    CALL(MPI_Bcast(all, 1, MPI_INT, 0, MPI_COMM_NULL));
    CALL(MPI_Barrier(MPI_COMM_NULL));
    CALL(MPI_Gather(mine, 1, MPI_INT, all, 1, MPI_INT, -1, comm));
    CALL(MPI_Gatherv(mine, 1, MPI_INT, all, counts, places, MPI_INT, size, comm));
    CALL(MPI_Scatter(mine, 1, MPI_INT, all, 1, MPI_INT, size, comm));
    CALL(MPI_Scatterv(mine, counts, places, MPI_INT, all, 1, MPI_INT, -2, comm));
    CALL(MPI_Allgather(mine, -1, MPI_INT, all, 1, MPI_INT, comm));
    CALL(MPI_Alltoall(mine, 1, MPI_DATATYPE_NULL, all, 1, MPI_INT, comm));
    CALL(MPI_Reduce(mine, all, 1, MPI_INT, MPI_OP_NULL, 0, comm));
    CALL(MPI_Reduce(mine, all, 1, MPI_INT, MPI_SUM, size, comm));
    CALL(MPI_Reduce(mine, all, 1, spaced, MPI_SUM, 0, comm));
    CALL(MPI_Allreduce(mine, all, 1, MPI_DOUBLE, MPI_BAND, comm));
    CALL(MPI_Allreduce(mine, all, 1, MPI_INT, MPI_MINLOC, comm));
    CALL(MPI_Allreduce(mine, all, -1, MPI_INT, MPI_SUM, comm));
    CALL(MPI_Reduce_scatter_block(mine, all, -1, MPI_INT, MPI_SUM, comm));
    CALL(MPI_Scan(mine, all, 1, MPI_DATATYPE_NULL, MPI_SUM, comm));
    CALL(MPI_Exscan(mine, all, 1, MPI_INT, MPI_OP_NULL, comm));
    CALL(MPI_Reduce_local(mine, all, 1, MPI_INT, MPI_OP_NULL));
    CALL(MPI_Reduce_local(mine, all, 1, MPI_FLOAT, MPI_LXOR));
}

static void look(void) {
    int me;
    MPI_Comm_rank(comm, &me);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    for (int root = 0; root < size; root += 2) {
        data_movement(root, me);
        reductions(root, me);
    }
    errors();
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_collectives", make, look); }
