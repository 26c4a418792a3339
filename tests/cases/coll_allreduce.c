// The inner loop of an iterative solver: small MPI_Allreduce calls, each depending on the result of the one before.
#include <math.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_allreduce");
    long state = 1;
    double x = 1.0, replica = 1.0;
    ready();
    while (all_still_waiting(MPI_COMM_WORLD)) {
        long mine = (state * 31 + rank) % 1000003, wanted = 0, sum;
        for (int r = 0; r < size; ++r) wanted += (state * 31 + r) % 1000003;
        MPI_Allreduce(&mine, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(sum, wanted);
        state = sum % 1000003;
        // All ranks contribute the same power of two: exact, whatever the order of additions.
        double part = ldexp(1.0, (int)(state % 40) - 20), all;
        MPI_Allreduce(&part, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        x = fmod(x * 1.5 + all, 1e6);
        replica = fmod(replica * 1.5 + part, 1e6);
        CHECK(x == replica);
    }
    return finish();
}
