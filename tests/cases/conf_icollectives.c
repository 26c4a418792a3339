// MPI-3.1, 5.12: non-blocking collectives.  All of them are started before the checkpoint and completed after it, and
// again started and completed before and after; with MPI_IN_PLACE, unequal counts, a user operation; errors.
#include "conformance.h"

enum { kMembers = 8, kRoom = 64, kMost = 32 };
static MPI_Comm comm;
static MPI_Op product;  // of 2x2 matrices of bytes: not commutative
static MPI_Datatype matrix, types[kMembers];
static int mine[kMost][kRoom], all[kMost][kRoom], counts[kMembers], places[kMembers], bytes[kMembers];
static MPI_Request requests[kMost];
static int count;

static void multiply(void *in, void *inout, int *length, MPI_Datatype *type) {
    unsigned char *a = in, *b = inout;
    CHECK(*type == matrix);
    for (int i = 0; i < *length; ++i, a += 4, b += 4) {
        unsigned char c[] = {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
                             a[2] * b[1] + a[3] * b[3]};
        memcpy(b, c, 4);
    }
}

static void make(void) {
    CHECK(size <= kMembers);
    CALL(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    CALL(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    CALL(MPI_Type_contiguous(4, MPI_BYTE, &matrix));
    CALL(MPI_Type_commit(&matrix));
    CALL(MPI_Op_create(multiply, 0, &product));
    for (int i = 0; i < size; ++i) {
        counts[i] = 1 + i % 2;
        places[i] = 2 * (size - 1 - i);
        bytes[i] = 8 * i;
        types[i] = i % 2 ? MPI_INT : MPI_FLOAT;
    }
}

static int *in(void) { return mine[count]; }
static int *out(void) { return all[count]; }
static MPI_Request *request(void) { return &requests[count]; }
#define BEGIN(call) (CALL(call), ++count)

static void begin_all(void) {
    int root = size - 1, same[kMembers];
    bool at_root = rank == root;
    for (int i = 0; i < kMembers; ++i) same[i] = 1;
    count = 0;
    for (int k = 0; k < kMost; ++k)
        for (int i = 0; i < kRoom; ++i) mine[k][i] = k + rank * 100 + i, all[k][i] = -1;
    BEGIN(MPI_Ibarrier(comm, request()));
    BEGIN(MPI_Ibcast(in(), 5, MPI_INT, root, comm, request()));
    BEGIN(MPI_Igather(in(), 2, MPI_INT, out(), 2, MPI_INT, root, comm, request()));
    BEGIN(MPI_Igather(at_root ? MPI_IN_PLACE : in(), 2, MPI_INT, out(), 2, MPI_INT, root, comm, request()));
    BEGIN(MPI_Igatherv(in(), counts[rank], MPI_INT, out(), counts, places, MPI_INT, root, comm, request()));
    BEGIN(MPI_Iscatter(in(), 2, MPI_INT, out(), 2, MPI_INT, root, comm, request()));
    BEGIN(MPI_Iscatter(in(), 2, MPI_INT, at_root ? MPI_IN_PLACE : out(), 2, MPI_INT, root, comm, request()));
    BEGIN(MPI_Iscatterv(in(), counts, places, MPI_INT, out(), counts[rank], MPI_INT, root, comm, request()));
    BEGIN(MPI_Iallgather(in(), 2, MPI_INT, out(), 2, MPI_INT, comm, request()));
    BEGIN(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, in(), 2, MPI_INT, comm, request()));
    BEGIN(MPI_Iallgatherv(in(), counts[rank], MPI_INT, out(), counts, places, MPI_INT, comm, request()));
    BEGIN(MPI_Ialltoall(in(), 2, MPI_INT, out(), 2, MPI_INT, comm, request()));
    BEGIN(MPI_Ialltoallv(in(), same, places, MPI_INT, out(), same, places, MPI_INT, comm, request()));
    MPI_Datatype sent[kMembers];
    for (int i = 0; i < kMembers; ++i) sent[i] = types[rank];
    // What is sent as one type is received as the same one.
    BEGIN(MPI_Ialltoallw(in(), same, bytes, sent, out(), same, bytes, types, comm, request()));
    BEGIN(MPI_Ireduce(in(), out(), 3, MPI_INT, MPI_SUM, root, comm, request()));
    BEGIN(MPI_Ireduce(at_root ? MPI_IN_PLACE : in(), in(), 3, MPI_INT, MPI_MAX, root, comm, request()));
    BEGIN(MPI_Iallreduce(in(), out(), 3, MPI_INT, MPI_SUM, comm, request()));
    BEGIN(MPI_Iallreduce(in(), out(), 3, matrix, product, comm, request()));
    BEGIN(MPI_Iallreduce(MPI_IN_PLACE, in(), 3, MPI_INT, MPI_MIN, comm, request()));
    BEGIN(MPI_Ireduce_scatter(in(), out(), counts, MPI_INT, MPI_SUM, comm, request()));
    BEGIN(MPI_Ireduce_scatter_block(in(), out(), 2, MPI_INT, MPI_SUM, comm, request()));
    BEGIN(MPI_Iscan(in(), out(), 2, matrix, product, comm, request()));
    BEGIN(MPI_Iscan(MPI_IN_PLACE, in(), 2, MPI_INT, MPI_SUM, comm, request()));
    BEGIN(MPI_Iexscan(in(), out(), 2, matrix, product, comm, request()));
}

static void end_all(void) {
    MPI_Status statuses[kMost];
    // One is given back in its own way, the rest at once.
    CALL(MPI_Wait(&requests[1], MPI_STATUS_IGNORE));
    CALL(MPI_Waitall(count, requests, statuses));
    for (int i = 0; i < count; ++i) {
        TELL(requests[i] == MPI_REQUEST_NULL);
        // An exclusive scan leaves rank 0's result alone or not.
        if (i == count - 1 && rank == 0) continue;
        tell_ints("  mine", mine[i], kRoom);
        tell_ints("  all", all[i], kRoom);
    }
}

static void errors(void) {
    MPI_Request made;
    CALL(MPI_Ibarrier(MPI_COMM_NULL, &made));
    CALL(MPI_Ibcast(mine, 1, MPI_INT, size, comm, &made));
    CALL(MPI_Ibcast(mine, -1, MPI_INT, 0, comm, &made));
    CALL(MPI_Igather(mine, 1, MPI_INT, all, 1, MPI_INT, -4, comm, &made));
    CALL(MPI_Igatherv(mine, 1, MPI_INT, all, counts, places, MPI_INT, -4, comm, &made));
    CALL(MPI_Iscatter(mine, 1, MPI_INT, all, 1, MPI_INT, size, comm, &made));
    CALL(MPI_Iscatterv(mine, counts, places, MPI_INT, all, 1, MPI_INT, size, comm, &made));
    CALL(MPI_Iallgather(mine, -1, MPI_INT, all, 1, MPI_INT, comm, &made));
    CALL(MPI_Ialltoall(mine, 1, MPI_DATATYPE_NULL, all, 1, MPI_INT, comm, &made));
    CALL(MPI_Ireduce(mine, all, 1, MPI_INT, MPI_OP_NULL, 0, comm, &made));
    CALL(MPI_Iallreduce(mine, all, 1, MPI_FLOAT, MPI_BAND, comm, &made));
    CALL(MPI_Ireduce_scatter_block(mine, all, -1, MPI_INT, MPI_SUM, comm, &made));
    CALL(MPI_Iscan(mine, all, 1, MPI_DATATYPE_NULL, MPI_SUM, comm, &made));
    CALL(MPI_Iexscan(mine, all, 1, MPI_INT, MPI_OP_NULL, comm, &made));
}

static void look(void) {
    if (count) end_all();
    begin_all();
    end_all();
    errors();
    static bool again;
    if (!again) begin_all();
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_icollectives", make, look); }
