// Overlapping communicators, whose collectives even and odd ranks enter in orders and numbers of their own.
#include "testcase_mpi.h"

static void sum(MPI_Comm comm, long round) {
    long mine = round, all;
    int members;
    MPI_Comm_size(comm, &members);
    MPI_Allreduce(&mine, &all, 1, MPI_LONG, MPI_SUM, comm);
    CHECK_EQUAL(all, round * members);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "coll_different_comms");
    MPI_Comm parity, lower, pairs[2];
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &parity);
    MPI_Comm_split(MPI_COMM_WORLD, rank < (size + 1) / 2 ? 1 : MPI_UNDEFINED, rank, &lower);
    // Pairs (0,1)(2,3)... and (1,2)(3,0)...: a chain of dependences through the whole world.
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &pairs[0]);
    MPI_Comm_split(MPI_COMM_WORLD, (rank + 1) % size / 2, rank, &pairs[1]);
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        for (int i = 0; i < (rank % 2 ? 7 : 2); ++i) sum(parity, round + i);
        if (lower != MPI_COMM_NULL)
            for (int i = 0; i < 5; ++i) sum(lower, round * i);
        for (int i = 0; i < (rank % 2 ? 1 : 4); ++i) sum(parity, round - i);
        for (int i = 0; i < 3; ++i) {
            sum(pairs[0], round + 1);
            sum(pairs[1], round + 2);
        }
    }
    return finish();
}
