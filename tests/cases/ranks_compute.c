// All ranks compute and call neither MPI nor the system: only a signal reaches them.  Floating point state is checked.
#include <fenv.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "ranks_compute");
    double x[16], y[16];
    for (int i = 0; i < 16; ++i) x[i] = y[i] = 0.1 * (i + 1) + rank;
    fesetround(FE_DOWNWARD);
    ready();
    do {
        // The same computation in two orders of loops, so that vector registers are live nearly always.
        for (int k = 0; k < 20000; ++k)
            for (int i = 0; i < 16; ++i) x[i] = x[i] * 0.999 + 1.0 / (x[i] + 3.0);
        for (int i = 0; i < 16; ++i)
            for (int k = 0; k < 20000; ++k) y[i] = y[i] * 0.999 + 1.0 / (y[i] + 3.0);
        for (int i = 0; i < 16; ++i) CHECK(x[i] == y[i]);
        CHECK_EQUAL(fegetround(), FE_DOWNWARD);
    } while (still_waiting());
    fesetround(FE_TONEAREST);
    return finish();
}
