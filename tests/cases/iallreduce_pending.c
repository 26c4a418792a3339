// Non-blocking reductions, one by a user operation, pending in two communicators: all ranks but the last have started
// them and compute, the last one starts them later.  A cut comes when it has, and completes them; their results are
// read afterwards, in another order.
#include "testcase_mpi.h"

static void larger_first(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type;
    for (long *a = in, *b = inout; b < (long *)inout + *count; ++a, ++b)
        if (*a > *b) *b = *a;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "iallreduce_pending");
    MPI_Comm twin;
    MPI_Op op;
    int late = rank == size - 1;
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    MPI_Op_create(larger_first, 1, &op);
    long round = 0;
    ready();
    do {
        MPI_Request requests[3];
        long mine[3] = {rank + ++round, 100 * round - rank, 5 * rank}, all[3] = {-1, -1, -1};
        if (late) compute_a_while();
        MPI_Iallreduce(&mine[0], &all[0], 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD, &requests[0]);
        MPI_Iallreduce(&mine[1], &all[1], 1, MPI_LONG, op, twin, &requests[1]);
        MPI_Iallreduce(&mine[2], &all[2], 1, MPI_LONG, MPI_MAX, MPI_COMM_WORLD, &requests[2]);
        compute_a_while();
        for (int i = 2; i >= 0; --i) MPI_Wait(&requests[i], MPI_STATUS_IGNORE);
        CHECK_EQUAL(all[0], size * round + size * (size - 1) / 2);
        CHECK_EQUAL(all[1], 100 * round);
        CHECK_EQUAL(all[2], 5 * (size - 1));
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Op_free(&op);
    return finish();
}
