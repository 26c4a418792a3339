// Clocks that must not run backwards do not, however long the time between the cut and the restore.
#include <time.h>

#include "testcase_mpi.h"

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "clock_monotonic");
    int64_t monotonic = now(CLOCK_MONOTONIC), real = now(CLOCK_REALTIME), boot = now(CLOCK_BOOTTIME);
    double mpi = MPI_Wtime();
    ready();
    do {
        int64_t m = now(CLOCK_MONOTONIC), r = now(CLOCK_REALTIME), b = now(CLOCK_BOOTTIME);
        double w = MPI_Wtime();
        if (m < monotonic || b < boot || w < mpi || r < real) fail("a clock ran backwards");
        monotonic = m, real = r, boot = b, mpi = w;
    } while (still_waiting());
    return finish();
}
