// Broadcasts from changing roots in changing sizes: the root leaves early, so it may be far ahead of the others at the
// cut.
#include "testcase_mpi.h"

enum { kBytes = 40000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_bcast");
    static char data[kBytes];
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        for (int root = 0; root < size; ++root) {
            int bytes = mix(round * size + root) % (round % 8 ? 200 : kBytes);
            if (rank == root) fill(data, bytes, round * size + root);
            MPI_Bcast(data, bytes, MPI_CHAR, root, MPI_COMM_WORLD);
            expect(data, bytes, round * size + root, "what was broadcast");
        }
    }
    return finish();
}
