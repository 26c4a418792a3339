// MPI_Comm_compare and MPI_Group_compare give the answers that they gave before.
#include "testcase_mpi.h"

static void compare(MPI_Comm a, MPI_Comm b, int wanted) {
    int relation;
    MPI_Comm_compare(a, b, &relation);
    CHECK_EQUAL(relation, wanted);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_compare");
    MPI_Comm twin, reversed, copy, single;
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &reversed);
    MPI_Comm_split(MPI_COMM_WORLD, rank, 0, &single);
    copy = twin;
    ready();
    wait_for_go();

    compare(twin, copy, MPI_IDENT);
    compare(MPI_COMM_WORLD, MPI_COMM_WORLD, MPI_IDENT);
    compare(MPI_COMM_WORLD, twin, MPI_CONGRUENT);
    compare(twin, reversed, size > 1 ? MPI_SIMILAR : MPI_CONGRUENT);
    compare(twin, single, size > 1 ? MPI_UNEQUAL : MPI_CONGRUENT);
    compare(MPI_COMM_SELF, single, MPI_CONGRUENT);
    return finish();
}
