// The hard picture: one rank computes, two wait in receives that depend on it, one is in a barrier without its partner.
// barrier.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "mixed_states");
    MPI_Comm pair;
    int value = rank;
    // Ranks 2 and 3 share a communicator of their own.
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &pair);
    ready();
    if (rank == 0) {
        for (uint64_t x = 1; still_waiting();)
            for (int i = 0; i < 100000; ++i) x = mix(x);
        MPI_Send(&value, 1, MPI_INT, 1, 1, MPI_COMM_WORLD);
    } else if (rank == 1) {
        MPI_Recv(&value, 1, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(value, 0);
        value = 77;
        MPI_Send(&value, 1, MPI_INT, 3, 1, MPI_COMM_WORLD);
    } else if (rank == 2) {
        MPI_Bcast(&value, 1, MPI_INT, 0, pair);
        MPI_Barrier(pair);
    } else {
        MPI_Recv(&value, 1, MPI_INT, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(value, 77);
        MPI_Bcast(&value, 1, MPI_INT, 0, pair);
        CHECK_EQUAL(value, 2);
        MPI_Barrier(pair);
    }
    return finish();
}
