// A commutative user operation, on a derived type and in place.
#include "testcase_mpi.h"

static int called;

static void add_modulo(void *in, void *inout, int *count, MPI_Datatype *type) {
    MPI_Aint lower, extent;
    MPI_Type_get_extent(*type, &lower, &extent);
    CHECK_EQUAL(extent, 2 * sizeof(long));
    long *a = in, *b = inout;
    for (int i = 0; i < 2 * *count; ++i) b[i] = (a[i] + b[i]) % 1000003;
    ++called;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "op_commutative");
    MPI_Datatype pair;
    MPI_Op op;
    MPI_Type_contiguous(2, MPI_LONG, &pair);
    MPI_Type_commit(&pair);
    MPI_Op_create(add_modulo, 1, &op);
    ready();
    wait_for_go();

    int commutative;
    MPI_Op_commutative(op, &commutative);
    CHECK_EQUAL(!!commutative, 1);
    long values[20], wanted[20] = {0};
    for (int i = 0; i < 20; ++i) {
        values[i] = 900000 + rank * 20 + i;
        for (int r = 0; r < size; ++r) wanted[i] = (wanted[i] + 900000 + r * 20 + i) % 1000003;
    }
    MPI_Allreduce(MPI_IN_PLACE, values, 10, pair, op, MPI_COMM_WORLD);
    for (int i = 0; i < 20; ++i) CHECK_EQUAL(values[i], wanted[i]);
    CHECK(called > 0 || size == 1);
    MPI_Op_free(&op);
    CHECK(op == MPI_OP_NULL);
    return finish();
}
