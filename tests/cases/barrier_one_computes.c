// All ranks but one are blocked in a barrier, deaf, while rank 0 computes without calling MPI: a cut is possible only
// once rank 0 has entered too, and it must come then, though the next round begins at once.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "barrier_one_computes");
    int rounds = 0, least, most;
    ready();
    do {
        if (rank == 0) compute_a_while();
        MPI_Barrier(MPI_COMM_WORLD);
        ++rounds;
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Allreduce(&rounds, &least, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(&rounds, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    CHECK_EQUAL(least, rounds);
    CHECK_EQUAL(most, rounds);
    return finish();
}
