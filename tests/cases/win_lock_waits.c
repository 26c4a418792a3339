// The request finds ranks that wait inside MPI_Win_lock, and the holder of the lock, before it gives it back, at a
// collective with one who does not want the lock: nobody may be stopped on the way to what the others wait for.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_lock_waits");
    long counter = 0, got;
    MPI_Comm pair;
    MPI_Win window;
    int in_pair = rank == 0 || rank == size - 1, round = 0;
    MPI_Comm_split(MPI_COMM_WORLD, in_pair ? 0 : MPI_UNDEFINED, rank, &pair);
    MPI_Win_create(&counter, sizeof counter, sizeof counter, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, window);
    MPI_Win_unlock(rank, window);
    ready();
    do {
        ++round;
        if (rank == 0) {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
            MPI_Get(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
            MPI_Win_flush(0, window);
            for (int i = 0; i < 5; ++i) nap();
            MPI_Barrier(pair);
            ++got;
            MPI_Put(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
            MPI_Win_unlock(0, window);
        } else if (rank == size - 1) {
            for (int i = 0; i < 3; ++i) nap();
            MPI_Barrier(pair);
        } else {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
            MPI_Get(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
            MPI_Win_flush(0, window);
            ++got;
            MPI_Put(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
            MPI_Win_unlock(0, window);
        }
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) CHECK_EQUAL(counter, (long)round * (size - 1));
    MPI_Win_free(&window);
    if (in_pair) MPI_Comm_free(&pair);
    return finish();
}
