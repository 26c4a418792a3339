// Communicators made of communicators, some of whose parents are gone: a split of a duplicate of a split.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_nested");
    MPI_Comm halves, twin, inner, chain = MPI_COMM_WORLD;
    MPI_Comm_split(MPI_COMM_WORLD, rank < (size + 1) / 2, -rank, &halves);
    MPI_Comm_dup(halves, &twin);
    MPI_Comm_free(&halves);
    int half, position;
    MPI_Comm_size(twin, &half);
    MPI_Comm_rank(twin, &position);
    MPI_Comm_split(twin, position % 2, position, &inner);
    for (int depth = 0; depth < 20; ++depth) {
        MPI_Comm next;
        MPI_Comm_dup(chain, &next);
        if (chain != MPI_COMM_WORLD) MPI_Comm_free(&chain);
        chain = next;
    }
    ready();
    wait_for_go();

    check_comm(twin, half);
    check_comm(inner, (half + (position % 2 == 0)) / 2);
    check_comm(chain, size);
    int first = rank;
    MPI_Bcast(&first, 1, MPI_INT, 0, twin);
    CHECK_EQUAL(first, rank < (size + 1) / 2 ? (size + 1) / 2 - 1 : size - 1);
    return finish();
}
