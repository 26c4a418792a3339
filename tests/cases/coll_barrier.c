// Barriers without a pause; a message sent after the barrier proves that it held everybody.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_barrier");
    ready();
    for (int round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        int arrived = 0, token = round;
        if (rank != 0) MPI_Send(&token, 1, MPI_INT, 0, 1, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
        for (int r = 1; rank == 0 && r < size; ++r) {
            MPI_Recv(&token, 1, MPI_INT, r, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(token, round);
            ++arrived;
        }
        CHECK_EQUAL(arrived, rank == 0 ? size - 1 : 0);
        for (int i = 0; i < 10; ++i) MPI_Barrier(MPI_COMM_WORLD);
    }
    return finish();
}
