// MPI-3.1, 14.2: a library that is linked for profiling sees the calls of the program, before a restart and after it.
#include "testcase_mpi.h"

extern int profiled_inits, profiled_sends, profiled_reductions;

static void use(int turn) {
    int got = -1, sum = -1;
    MPI_Request request;
    MPI_Irecv(&got, 1, MPI_INT, (rank + size - 1) % size, turn, MPI_COMM_WORLD, &request);
    MPI_Send(&rank, 1, MPI_INT, (rank + 1) % size, turn, MPI_COMM_WORLD);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, (rank + size - 1) % size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK_EQUAL(sum, size * (size - 1) / 2);
    CHECK_EQUAL(profiled_inits, 1);
    CHECK_EQUAL(profiled_sends, turn);
    CHECK_EQUAL(profiled_reductions, turn);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "profiled");
    use(1);
    ready();
    wait_for_go();

    use(2);
    return finish();
}
