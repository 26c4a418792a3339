// Rounds of post, start, put, complete and wait with both neighbours while the checkpoint comes: no rank is stopped
// inside an access epoch, and every value arrives in the round that it belongs to.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_pscw_busy");
    int right = (rank + 1) % size, left = (rank + size - 1) % size, both[2] = {left, right};
    long memory[2] = {-1, -1}, round = 0;
    MPI_Group all, neighbours;
    MPI_Comm_group(MPI_COMM_WORLD, &all);
    MPI_Group_incl(all, size > 2 ? 2 : 1, size == 1 ? &rank : both, &neighbours);
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    ready();
    do
        for (int i = 0; i < 10; ++i) {
            long value = ++round * 100 + rank;
            MPI_Win_post(neighbours, 0, window);
            MPI_Win_start(neighbours, 0, window);
            MPI_Put(&value, 1, MPI_LONG, right, 0, 1, MPI_LONG, window);
            if (round % 7 == rank) nap();
            MPI_Put(&value, 1, MPI_LONG, left, 1, 1, MPI_LONG, window);
            MPI_Win_complete(window);
            MPI_Win_wait(window);
            CHECK_EQUAL(memory[0], round * 100 + left);
            CHECK_EQUAL(memory[1], round * 100 + right);
        }
    while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Win_free(&window);
    return finish();
}
