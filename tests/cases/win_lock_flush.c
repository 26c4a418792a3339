// Ranks compete for an exclusive lock (MPI-3.1, 11.5.3) in a hot loop while the checkpoint comes: the counters behind it
// lose nothing and count nothing twice, although some rank is always waiting inside MPI_Win_lock.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_lock_flush");
    long counters[2] = {0, 0}, mine = 0, all = 0;
    MPI_Win window;
    MPI_Win_create(counters, sizeof counters, sizeof *counters, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    ready();
    do
        for (int i = 0; i < 20; ++i) {
            int target = mix(mine) % size;
            long got[2];
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, target, 0, window);
            MPI_Get(got, 2, MPI_LONG, target, 0, 2, MPI_LONG, window);
            MPI_Win_flush(target, window);
            CHECK_EQUAL(got[0], got[1]);
            ++got[0];
            MPI_Put(&got[0], 1, MPI_LONG, target, 0, 1, MPI_LONG, window);
            if (i == 7) MPI_Win_flush_local(target, window);
            MPI_Put(&got[0], 1, MPI_LONG, target, 1, 1, MPI_LONG, window);
            MPI_Win_unlock(target, window);
            ++mine;
        }
    while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, window);
    long own = counters[0], held = 0;
    MPI_Win_unlock(rank, window);
    MPI_Allreduce(&mine, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&own, &held, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    CHECK_EQUAL(held, all);
    MPI_Win_free(&window);
    return finish();
}
