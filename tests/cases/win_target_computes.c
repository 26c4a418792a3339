// The target of locks and puts computes for long and calls no MPI, as one-sided communication allows; the others are
// inside MPI_Win_lock or MPI_Win_unlock, which may need its help, when the request comes.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_target_computes");
    long memory[8] = {0}, done = 0;
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    do {
        if (rank == 0) compute_a_while();
        for (int i = 0; rank != 0 && i < 10; ++i) {
            ++done;
            MPI_Win_lock(i % 2 ? MPI_LOCK_SHARED : MPI_LOCK_EXCLUSIVE, 0, 0, window);
            MPI_Put(&done, 1, MPI_LONG, 0, rank, 1, MPI_LONG, window);
            MPI_Win_unlock(0, window);
        }
        long theirs[8] = {0};
        MPI_Gather(&done, 1, MPI_LONG, theirs, 1, MPI_LONG, 0, MPI_COMM_WORLD);
        for (int i = 1; rank == 0 && i < size; ++i) CHECK_EQUAL(memory[i], theirs[i]);
        MPI_Barrier(MPI_COMM_WORLD);
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Win_free(&window);
    return finish();
}
