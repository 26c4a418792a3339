// The functions that MPI-3.0 removed and those that it deprecates, with objects that live over the cut (MPI-3.1, 15.1, 16.1).
// Open MPI declares the removed ones only on demand, but exports them.
#define OMPI_OMIT_MPI1_COMPAT_DECLS 0
#include <mpi.h>
#undef MPI_Address
#undef MPI_Type_extent
#undef MPI_Type_lb
#undef MPI_Type_ub
#undef MPI_Type_hvector
#undef MPI_Type_hindexed
#undef MPI_Type_struct
#undef MPI_Errhandler_create
#undef MPI_Errhandler_set
#undef MPI_Errhandler_get

#include "testcase_mpi.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

int MPI_Address(void *location, MPI_Aint *address);
int MPI_Type_extent(MPI_Datatype type, MPI_Aint *extent);
int MPI_Type_lb(MPI_Datatype type, MPI_Aint *displacement);
int MPI_Type_ub(MPI_Datatype type, MPI_Aint *displacement);
int MPI_Type_hvector(int count, int length, MPI_Aint stride, MPI_Datatype old, MPI_Datatype *type);
int MPI_Type_hindexed(int count, int lengths[], MPI_Aint places[], MPI_Datatype old, MPI_Datatype *type);
int MPI_Type_struct(int count, int lengths[], MPI_Aint places[], MPI_Datatype olds[], MPI_Datatype *type);
int MPI_Errhandler_create(MPI_Comm_errhandler_function *function, MPI_Errhandler *handler);
int MPI_Errhandler_set(MPI_Comm comm, MPI_Errhandler handler);
int MPI_Errhandler_get(MPI_Comm comm, MPI_Errhandler *handler);

static int errors = 0, copies = 0, deletes = 0;

static void count_error(MPI_Comm *comm, int *error, ...) {
    CHECK(*comm != MPI_COMM_NULL && *error != MPI_SUCCESS);
    ++errors;
}
static int copy(MPI_Comm comm, int keyval, void *extra, void *in, void *out, int *flag) {
    (void)comm, (void)keyval;
    ++copies;
    *(void **)out = (char *)in + *(int *)extra;
    *flag = 1;
    return MPI_SUCCESS;
}
static int delete(MPI_Comm comm, int keyval, void *value, void *extra) {
    (void)comm, (void)keyval, (void)value, (void)extra;
    ++deletes;
    return MPI_SUCCESS;
}

struct Pair {
    int number;
    double value;
};

int main(int argc, char **argv) {
    static int extra = 4;
    struct Pair out = {1, 0.5}, in = {0, 0};
    int lengths[2] = {1, 1}, keyval = MPI_KEYVAL_INVALID, flag = 0, grid[6], strided[3] = {-1, -1, -1};
    MPI_Aint places[2], base, extent, lb, ub;
    MPI_Datatype olds[2] = {MPI_INT, MPI_DOUBLE}, pair, every_other, indexed;
    MPI_Errhandler handler, found;
    MPI_Comm comm, child;
    void *value = NULL;
    start(&argc, &argv, "conf_removed");
    MPI_Address(&out, &base);
    MPI_Address(&out.number, &places[0]);
    MPI_Address(&out.value, &places[1]);
    places[0] -= base, places[1] -= base;
    MPI_Type_struct(2, lengths, places, olds, &pair);
    MPI_Type_commit(&pair);
    MPI_Type_hvector(3, 1, 2 * sizeof(int), MPI_INT, &every_other);
    MPI_Type_commit(&every_other);
    MPI_Aint bytes[2] = {0, 4 * sizeof(int)};
    MPI_Type_hindexed(2, lengths, bytes, MPI_INT, &indexed);
    MPI_Type_commit(&indexed);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Errhandler_create(count_error, &handler);
    MPI_Errhandler_set(comm, handler);
    MPI_Keyval_create(copy, delete, &keyval, &extra);
    MPI_Attr_put(comm, keyval, &in);

    ready();
    wait_for_go();

    MPI_Type_extent(pair, &extent);
    MPI_Type_lb(pair, &lb);
    MPI_Type_ub(pair, &ub);
    CHECK_EQUAL(lb, 0);
    CHECK_EQUAL(ub, extent);
    CHECK_EQUAL(extent, (MPI_Aint)sizeof(struct Pair));
    MPI_Sendrecv(&out, 1, pair, (rank + 1) % size, 1, &in, 1, pair, (rank + size - 1) % size, 1, comm, MPI_STATUS_IGNORE);
    CHECK(in.number == 1 && in.value == 0.5);
    for (int i = 0; i < 6; ++i) grid[i] = i;
    MPI_Sendrecv(grid, 1, every_other, rank, 2, strided, 3, MPI_INT, rank, 2, comm, MPI_STATUS_IGNORE);
    CHECK(strided[0] == 0 && strided[1] == 2 && strided[2] == 4);
    MPI_Sendrecv(grid, 1, indexed, rank, 3, strided, 2, MPI_INT, rank, 3, comm, MPI_STATUS_IGNORE);
    CHECK(strided[0] == 0 && strided[1] == 4);

    MPI_Errhandler_get(comm, &found);
    CHECK(found == handler);
    CHECK(MPI_Send(&out, -1, MPI_INT, 0, 0, comm) != MPI_SUCCESS);
    CHECK_EQUAL(errors, 1);
    MPI_Attr_get(comm, keyval, &value, &flag);
    CHECK(flag && value == &in);
    MPI_Comm_dup(comm, &child);
    CHECK_EQUAL(copies, 1);
    MPI_Attr_get(child, keyval, &value, &flag);
    CHECK(flag && value == (char *)&in + 4);
    MPI_Attr_delete(child, keyval);
    CHECK_EQUAL(deletes, 1);
    MPI_Comm_free(&child);
    MPI_Comm_free(&comm);
    CHECK_EQUAL(deletes, 2);
    MPI_Keyval_free(&keyval);
    CHECK_EQUAL(keyval, MPI_KEYVAL_INVALID);
    return finish();
}
