// Non-blocking reductions, one by a user operation, pending in two communicators; the last rank starts them after the
// cut.
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
    MPI_Request requests[3];
    long mine[3] = {rank + 1, 100 - rank, 5 * rank}, all[3];
    int late = rank == size - 1;
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    MPI_Op_create(larger_first, 1, &op);
    for (int pass_number = 0; pass_number < 2; ++pass_number) {
        if (late == pass_number) {
            MPI_Iallreduce(&mine[0], &all[0], 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD, &requests[0]);
            MPI_Iallreduce(&mine[1], &all[1], 1, MPI_LONG, op, twin, &requests[1]);
            MPI_Iallreduce(&mine[2], &all[2], 1, MPI_LONG, MPI_MAX, MPI_COMM_WORLD, &requests[2]);
        }
        if (pass_number == 0) {
            ready();
            wait_for_go();
        }
    }
    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    CHECK_EQUAL(all[0], size * (size + 1) / 2);
    CHECK_EQUAL(all[1], 100);
    CHECK_EQUAL(all[2], 5 * (size - 1));
    MPI_Op_free(&op);
    return finish();
}
