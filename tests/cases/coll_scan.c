// MPI_Scan, MPI_Exscan and MPI_Reduce_scatter_block: chains in which ranks leave at very different times.
#include "testcase_mpi.h"

enum { kMost = 16 };

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_scan");
    CHECK(size <= kMost);
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        long mine = round + rank, upto = 0, before = 0, want_upto = 0, want_before = 0, share = 0, parts[kMost];
        for (int r = 0; r <= rank; ++r) want_upto += round + r;
        want_before = want_upto - mine;
        MPI_Scan(&mine, &upto, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(upto, want_upto);
        MPI_Exscan(&mine, &before, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        if (rank > 0) CHECK_EQUAL(before, want_before);
        for (int r = 0; r < size; ++r) parts[r] = round * r + rank;
        MPI_Reduce_scatter_block(parts, &share, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        CHECK_EQUAL(share, round * rank * size + size * (size - 1) / 2);
    }
    return finish();
}
