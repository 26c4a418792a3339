// MPI_Alltoall and MPI_Alltoallv, every element checked.
#include "testcase_mpi.h"

enum { kMost = 16, kBlock = 50 };

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_alltoall");
    CHECK(size <= kMost);
    int out[kMost * kBlock], in[kMost * kBlock], counts[kMost], places[kMost], from[kMost], to[kMost];
    ready();
    for (int round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        for (int r = 0; r < size; ++r)
            for (int i = 0; i < kBlock; ++i) out[r * kBlock + i] = (int)mix(round * 65536 + rank * 4096 + r * 256 + i);
        MPI_Alltoall(out, kBlock, MPI_INT, in, kBlock, MPI_INT, MPI_COMM_WORLD);
        for (int r = 0; r < size; ++r)
            for (int i = 0; i < kBlock; ++i)
                CHECK_EQUAL(in[r * kBlock + i], (int)mix(round * 65536 + r * 4096 + rank * 256 + i));
        for (int r = 0; r < size; ++r) {
            places[r] = r * kBlock;
            counts[r] = (rank + 2 * r + round) % kBlock;
            from[r] = (r + 2 * rank + round) % kBlock;
            to[r] = r * kBlock;
        }
        for (int i = 0; i < size * kBlock; ++i) in[i] = -1;
        MPI_Alltoallv(out, counts, places, MPI_INT, in, from, to, MPI_INT, MPI_COMM_WORLD);
        for (int r = 0; r < size; ++r)
            for (int i = 0; i < kBlock; ++i)
                CHECK_EQUAL(in[r * kBlock + i], i < from[r] ? (int)mix(round * 65536 + r * 4096 + rank * 256 + i) : -1);
    }
    return finish();
}
