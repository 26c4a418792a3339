// The hard picture: one rank computes, one is in a receive that depends on it, one is in a barrier without its partner,
// and that partner, which polls for a message that depends on the two others, is signalled alone; the others, as from
// Slurm at its request, later.  The cut comes when the barrier can end: rank 0 sends, so 1 sends, so 3 enters.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "mixed_states");
    MPI_Comm pair;
    // Ranks 2 and 3 share a communicator of their own.
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &pair);
    int round = 0;
    ready();
    do {
        int value = ++round;
        if (rank == 0) {
            compute_a_while();
            MPI_Send(&value, 1, MPI_INT, 1, 1, MPI_COMM_WORLD);
        } else if (rank == 1) {
            MPI_Recv(&value, 1, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(value, round);
            value = 77 * round;
            MPI_Send(&value, 1, MPI_INT, 3, 1, MPI_COMM_WORLD);
        } else if (rank == 2) {
            value = 5 * round;
            MPI_Bcast(&value, 1, MPI_INT, 0, pair);
            MPI_Barrier(pair);
        } else {
            MPI_Request request;
            MPI_Irecv(&value, 1, MPI_INT, 1, 1, MPI_COMM_WORLD, &request);
            for (int done = 0; !done; nap()) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
            CHECK_EQUAL(value, 77 * round);
            MPI_Bcast(&value, 1, MPI_INT, 0, pair);
            CHECK_EQUAL(value, 5 * round);
            MPI_Barrier(pair);
        }
    } while (all_still_waiting(MPI_COMM_WORLD));
    return finish();
}
