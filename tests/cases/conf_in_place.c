// The blocking collectives with counts and places and with MPI_IN_PLACE, on a communicator of before the cut, before and
// after it; MPI_Reduce_local (MPI-3.1, 5.5 to 5.11).
#include "testcase_mpi.h"

enum { kMost = 8 };

static void multiply(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type; /* 2x2 integer matrices: associative, not commutative */
    for (int i = 0; i < *count; ++i) {
        const int *a = (int *)in + 4 * i;
        int *b = (int *)inout + 4 * i;
        const int c[4] = {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
                          a[2] * b[1] + a[3] * b[3]};
        for (int j = 0; j < 4; ++j) b[j] = c[j];
    }
}

static void run(MPI_Comm comm, MPI_Datatype matrix, MPI_Op product) {
    int counts[kMost], places[kMost], mine[2 * kMost], all[2 * kMost], before = 0;
    const int root = size - 1, count = rank % 2 + 1;
    for (int r = 0; r < size; ++r) {
        counts[r] = r % 2 + 1;
        places[r] = 2 * r;
        if (r < rank) before += counts[r];
    }
    for (int j = 0; j < 2 * kMost; ++j) mine[j] = 100 * rank + j, all[j] = -1;

    MPI_Gatherv(mine, count, MPI_INT, all, counts, places, MPI_INT, root, comm);
    for (int r = 0; rank == root && r < size; ++r)
        for (int j = 0; j < counts[r]; ++j) CHECK_EQUAL(all[2 * r + j], 100 * r + j);
    for (int j = 0; j < 2 * kMost; ++j) all[j] = -1;
    MPI_Scatterv(mine, counts, places, MPI_INT, all, count, MPI_INT, root, comm);
    for (int j = 0; j < count; ++j) CHECK_EQUAL(all[j], 100 * root + 2 * rank + j);
    MPI_Reduce_scatter(mine, all, counts, MPI_INT, MPI_SUM, comm);
    for (int j = 0; j < count; ++j) CHECK_EQUAL(all[j], 100 * size * (size - 1) / 2 + size * (before + j));

    /* in place: at the root or everywhere */
    for (int r = 0; r < size; ++r) all[r] = r == rank ? 7 + rank : -1;
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INT, comm);
    for (int r = 0; r < size; ++r) CHECK_EQUAL(all[r], 7 + r);
    if (rank == root)
        MPI_Gather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INT, root, comm);
    else
        MPI_Gather(&all[rank], 1, MPI_INT, NULL, 0, MPI_DATATYPE_NULL, root, comm);
    if (rank == root)
        MPI_Scatter(all, 1, MPI_INT, MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, root, comm);
    else
        MPI_Scatter(NULL, 0, MPI_DATATYPE_NULL, &all[rank], 1, MPI_INT, root, comm);
    CHECK_EQUAL(all[rank], 7 + rank);
    for (int r = 0; r < size; ++r) all[r] = 10 * rank + r;
    MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 1, MPI_INT, comm);
    for (int r = 0; r < size; ++r) CHECK_EQUAL(all[r], 10 * r + rank);
    all[0] = rank + 1;
    MPI_Allreduce(MPI_IN_PLACE, all, 1, MPI_INT, MPI_PROD, comm);
    int factorial = 1;
    for (int r = 1; r <= size; ++r) factorial *= r;
    CHECK_EQUAL(all[0], factorial);
    all[0] = rank;
    if (rank == root)
        MPI_Reduce(MPI_IN_PLACE, all, 1, MPI_INT, MPI_SUM, root, comm);
    else
        MPI_Reduce(all, NULL, 1, MPI_INT, MPI_SUM, root, comm);
    if (rank == root) CHECK_EQUAL(all[0], size * (size - 1) / 2);
    all[0] = 1;
    MPI_Scan(MPI_IN_PLACE, all, 1, MPI_INT, MPI_SUM, comm);
    CHECK_EQUAL(all[0], rank + 1);
    all[0] = 1;
    MPI_Exscan(MPI_IN_PLACE, all, 1, MPI_INT, MPI_SUM, comm);
    if (rank > 0) CHECK_EQUAL(all[0], rank);
    for (int r = 0; r < size; ++r) all[r] = r;
    MPI_Reduce_scatter_block(MPI_IN_PLACE, all, 1, MPI_INT, MPI_SUM, comm);
    CHECK_EQUAL(all[0], size * rank);

    /* a product that depends on the order, whole and of two alone */
    int m[4] = {1, rank + 1, 0, 1}, p[4];
    MPI_Allreduce(m, p, 1, matrix, product, comm);
    CHECK_EQUAL(p[1], size * (size + 1) / 2);
    int a[4] = {1, 2, 3, 4}, b[4] = {0, 1, 1, 0}, commutes = -1;
    MPI_Reduce_local(a, b, 1, matrix, product);
    CHECK(b[0] == 2 && b[1] == 1 && b[2] == 4 && b[3] == 3);
    MPI_Op_commutative(product, &commutes);
    CHECK_EQUAL(commutes, 0);
}

int main(int argc, char **argv) {
    MPI_Comm comm;
    MPI_Datatype matrix;
    MPI_Op product;
    start(&argc, &argv, "conf_in_place");
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Type_contiguous(4, MPI_INT, &matrix);
    MPI_Type_commit(&matrix);
    MPI_Op_create(multiply, 0, &product);
    run(comm, matrix, product);
    ready();
    wait_for_go();
    run(comm, matrix, product);
    return finish();
}
