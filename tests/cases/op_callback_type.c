// A user operation is told the datatype that the program knows, whether it was predefined or made before the cut.
#include "testcase_mpi.h"

static MPI_Datatype expected;
static int calls;

static void add(void *in, void *inout, int *count, MPI_Datatype *type) {
    CHECK(*type == expected);
    int bytes, members = *count;
    MPI_Type_size(*type, &bytes);
    members = members * bytes / (int)sizeof(int);
    for (int i = 0; i < members; ++i) ((int *)inout)[i] += ((int *)in)[i];
    ++calls;
}

static void reduce_both(MPI_Op op, MPI_Datatype pair) {
    int mine[2] = {rank, 1}, all[2] = {-1, -1};
    expected = MPI_INT;
    MPI_Allreduce(mine, all, 2, MPI_INT, op, MPI_COMM_WORLD);
    CHECK_EQUAL(all[0], size * (size - 1) / 2);
    CHECK_EQUAL(all[1], size);
    expected = pair;
    all[0] = all[1] = -1;
    MPI_Allreduce(mine, all, 1, pair, op, MPI_COMM_WORLD);
    CHECK_EQUAL(all[0], size * (size - 1) / 2);
    CHECK_EQUAL(all[1], size);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "op_callback_type");
    MPI_Op op;
    MPI_Datatype pair;
    MPI_Op_create(add, 1, &op);
    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_commit(&pair);
    reduce_both(op, pair);
    ready();
    wait_for_go();
    calls = 0;
    reduce_both(op, pair);
    CHECK(calls > 0 || size == 1);
    MPI_Type_free(&pair);
    MPI_Op_free(&op);
    return finish();
}
