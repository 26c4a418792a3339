// MPI_Allgather, Allgatherv, Gather and Scatter, with a derived type.
#include "testcase_mpi.h"

enum { kMost = 16 };

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_allgather");
    CHECK(size <= kMost);
    MPI_Datatype triple;
    MPI_Type_contiguous(3, MPI_INT, &triple);
    MPI_Type_commit(&triple);
    int all[kMost * 3], parts[kMost * 3], counts[kMost], places[kMost];
    ready();
    for (int round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        int mine[3] = {round, rank, round * rank}, root = round % size;
        MPI_Allgather(mine, 1, triple, all, 3, MPI_INT, MPI_COMM_WORLD);
        for (int r = 0; r < size; ++r) CHECK(all[3 * r] == round && all[3 * r + 1] == r && all[3 * r + 2] == round * r);
        for (int r = 0, at = 0; r < size; at += counts[r++]) {
            counts[r] = (r + round) % 4;  // of three: one rank in four gives nothing
            places[r] = at;
        }
        MPI_Allgatherv(mine, counts[rank], MPI_INT, parts, counts, places, MPI_INT, MPI_COMM_WORLD);
        for (int r = 0; r < size; ++r)
            for (int i = 0; i < counts[r]; ++i)
                CHECK_EQUAL(parts[places[r] + i], i == 0 ? round : i == 1 ? r : round * r);
        MPI_Gather(mine, 3, MPI_INT, parts, 1, triple, root, MPI_COMM_WORLD);
        for (int i = 0; rank == root && i < 3 * size; ++i) {
            CHECK_EQUAL(parts[i], all[i]);
            parts[i] += 5;
        }
        MPI_Scatter(parts, 1, triple, mine, 3, MPI_INT, root, MPI_COMM_WORLD);
        CHECK(mine[0] == round + 5 && mine[1] == rank + 5 && mine[2] == round * rank + 5);
    }
    return finish();
}
