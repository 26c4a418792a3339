// Rank 0 computes without calling MPI while all others are blocked in a barrier: nobody polls, everybody must stop.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "barrier_one_computes");
    uint64_t value = 1, steps = 0;
    ready();
    if (rank == 0)
        for (; still_waiting(); ++steps)
            for (int i = 0; i < 100000; ++i) value = mix(value);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        uint64_t again = 1;
        for (uint64_t i = 0; i < steps * 100000; ++i) again = mix(again);
        CHECK(value == again);
    }
    return finish();
}
