// Post, start, complete and wait (MPI-3.1, 11.5.2): at the checkpoint exposure epochs are open, one that its origin has
// completed already, one that it has not begun; after the restart all of them end as they should.
#include "testcase_mpi.h"

static MPI_Group only(int member) {
    MPI_Group all, one;
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, 1, &member, &one);
    MPI_Group_free(&all);
    return one;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_pscw");
    int right = (rank + 1) % size, left = (rank + size - 1) % size, flag;
    int done[2] = {-1, -1}, open[2] = {-1, -1}, value[2] = {rank, rank + 1};
    MPI_Group to = only(right), from = only(left);
    MPI_Win completed, begun;
    MPI_Win_create(done, sizeof done, sizeof *done, MPI_INFO_NULL, MPI_COMM_WORLD, &completed);
    MPI_Win_create(open, sizeof open, sizeof *open, MPI_INFO_NULL, MPI_COMM_WORLD, &begun);
    // One whole round before, so that the next is not the first.
    MPI_Win_post(from, 0, completed);
    MPI_Win_start(to, 0, completed);
    MPI_Win_complete(completed);
    MPI_Win_wait(completed);

    MPI_Win_post(from, 0, completed);
    MPI_Win_start(to, 0, completed);
    MPI_Put(value, 2, MPI_INT, right, 0, 2, MPI_INT, completed);
    MPI_Win_complete(completed);
    MPI_Win_post(from, 0, begun);
    MPI_Group_free(&from);
    MPI_Barrier(MPI_COMM_WORLD);  // some transports need the target's help to complete
    ready();
    wait_for_go();

    MPI_Win_wait(completed);
    CHECK_EQUAL(done[0], left);
    CHECK_EQUAL(done[1], left + 1);
    MPI_Win_start(to, 0, begun);
    MPI_Put(value, 2, MPI_INT, right, 0, 2, MPI_INT, begun);
    MPI_Win_complete(begun);
    do
        MPI_Win_test(begun, &flag);
    while (!flag);
    CHECK_EQUAL(open[0], left);
    CHECK_EQUAL(open[1], left + 1);

    // Everything once more, with what has been made again.
    from = only(left);
    value[0] = 77 + rank;
    MPI_Win_post(from, 0, completed);
    MPI_Win_start(to, 0, completed);
    MPI_Put(value, 1, MPI_INT, right, 1, 1, MPI_INT, completed);
    MPI_Win_complete(completed);
    MPI_Win_wait(completed);
    CHECK_EQUAL(done[1], 77 + left);
    MPI_Group_free(&from);
    MPI_Group_free(&to);
    MPI_Win_free(&begun);
    MPI_Win_free(&completed);
    return finish();
}
