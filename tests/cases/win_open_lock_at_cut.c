// Locks that are held at the checkpoint are held after the restart, by their holders alone: rank 0 holds the exclusive
// lock of its own memory, everybody a shared one of a neighbour in another window; what was put under them arrives.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_open_lock_at_cut");
    int guarded = 0, open = -1, right = (rank + 1) % size, value = 100 + rank, got = -1;
    MPI_Win exclusive, shared;
    MPI_Win_create(&guarded, sizeof guarded, sizeof guarded, MPI_INFO_NULL, MPI_COMM_WORLD, &exclusive);
    MPI_Win_create(&open, sizeof open, sizeof open, MPI_INFO_NULL, MPI_COMM_WORLD, &shared);
    if (rank == 0) MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, exclusive);
    MPI_Win_lock(MPI_LOCK_SHARED, right, 0, shared);
    if (size > 1) MPI_Win_lock(MPI_LOCK_SHARED, rank, MPI_MODE_NOCHECK, shared);
    MPI_Put(&value, 1, MPI_INT, right, 0, 1, MPI_INT, shared);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    if (rank == 0) {
        // The others try for the lock meanwhile; none gets it before it is given back.
        for (int i = 1; i <= 20; ++i) {
            MPI_Get(&got, 1, MPI_INT, 0, 0, 1, MPI_INT, exclusive);
            MPI_Win_flush(0, exclusive);
            CHECK_EQUAL(got, i - 1);
            MPI_Put(&i, 1, MPI_INT, 0, 0, 1, MPI_INT, exclusive);
            MPI_Win_flush(0, exclusive);
            nap();
        }
        MPI_Win_unlock(0, exclusive);
    } else {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, exclusive);
        MPI_Get(&got, 1, MPI_INT, 0, 0, 1, MPI_INT, exclusive);
        MPI_Win_flush(0, exclusive);
        CHECK(got >= 20);
        ++got;
        MPI_Put(&got, 1, MPI_INT, 0, 0, 1, MPI_INT, exclusive);
        MPI_Win_unlock(0, exclusive);
    }
    MPI_Win_unlock(right, shared);
    if (size > 1) MPI_Win_unlock(rank, shared);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(open, 100 + (rank + size - 1) % size);
    if (rank == 0) CHECK_EQUAL(guarded, 20 + size - 1);
    MPI_Win_free(&shared);
    MPI_Win_free(&exclusive);
    return finish();
}
