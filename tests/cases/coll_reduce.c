// Reductions to changing roots, with several operations; only the root is told the result.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_reduce");
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        int root = round % size;
        unsigned mine[8], sum[8], most[8], bits[8];
        for (int i = 0; i < 8; ++i) mine[i] = (unsigned)mix(round * 64 + rank * 8 + i);
        MPI_Reduce(mine, sum, 8, MPI_UNSIGNED, MPI_SUM, root, MPI_COMM_WORLD);
        MPI_Reduce(mine, most, 8, MPI_UNSIGNED, MPI_MAX, root, MPI_COMM_WORLD);
        MPI_Reduce(mine, bits, 8, MPI_UNSIGNED, MPI_BXOR, root, MPI_COMM_WORLD);
        for (int i = 0; rank == root && i < 8; ++i) {
            unsigned total = 0, high = 0, parity = 0;
            for (int r = 0; r < size; ++r) {
                unsigned value = (unsigned)mix(round * 64 + r * 8 + i);
                total += value;
                parity ^= value;
                if (value > high) high = value;
            }
            CHECK_EQUAL(sum[i], total);
            CHECK_EQUAL(most[i], high);
            CHECK_EQUAL(bits[i], parity);
        }
    }
    return finish();
}
