// A Cartesian grid: dimensions, coordinates, shifts with and without an edge, and a sub-grid of rows.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "cart_topology");
    int dims[2] = {0, 0}, periods[2] = {1, 0}, coords[2], was[2];
    MPI_Comm grid, rows;
    MPI_Dims_create(size, 2, dims);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid);
    MPI_Cart_coords(grid, rank, 2, was);
    MPI_Cart_sub(grid, (int[]){0, 1}, &rows);
    ready();
    wait_for_go();

    int got_dims[2], got_periods[2], status, ndims, at, up, down, left, right;
    MPI_Topo_test(grid, &status);
    CHECK_EQUAL(status, MPI_CART);
    MPI_Cartdim_get(grid, &ndims);
    CHECK_EQUAL(ndims, 2);
    MPI_Cart_get(grid, 2, got_dims, got_periods, coords);
    for (int i = 0; i < 2; ++i) {
        CHECK_EQUAL(got_dims[i], dims[i]);
        CHECK_EQUAL(!!got_periods[i], periods[i]);
        CHECK_EQUAL(coords[i], was[i]);
    }
    MPI_Cart_rank(grid, coords, &at);
    CHECK_EQUAL(at, rank);
    MPI_Cart_shift(grid, 0, 1, &up, &down);
    CHECK_EQUAL(down, (coords[0] + 1) % dims[0] * dims[1] + coords[1]);
    MPI_Cart_shift(grid, 1, 1, &left, &right);
    CHECK_EQUAL(left, coords[1] == 0 ? MPI_PROC_NULL : rank - 1);
    CHECK_EQUAL(right, coords[1] == dims[1] - 1 ? MPI_PROC_NULL : rank + 1);

    int value = -1;
    MPI_Sendrecv(&rank, 1, MPI_INT, right, 0, &value, 1, MPI_INT, left, 0, grid, MPI_STATUS_IGNORE);
    CHECK_EQUAL(value, left == MPI_PROC_NULL ? -1 : left);
    MPI_Sendrecv(&rank, 1, MPI_INT, down, 0, &value, 1, MPI_INT, up, 0, grid, MPI_STATUS_IGNORE);
    CHECK_EQUAL(value, up);
    check_comm(rows, dims[1]);
    MPI_Cartdim_get(rows, &ndims);
    CHECK_EQUAL(ndims, 1);
    MPI_Cart_coords(rows, coords[1], 1, &at);
    CHECK_EQUAL(at, coords[1]);
    return finish();
}
