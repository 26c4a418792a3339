// Collectives between two groups, all the time while the checkpoint comes: rooted ones with MPI_ROOT and MPI_PROC_NULL,
// and those of both directions (MPI-3.1, 5.2.2); the root changes, so that ranks run ahead of others.
#include "two_groups.h"

enum { kMost = 16 };

// What a rank of the group without the root, or one that is not the root in the other, names.
static int root_argument(int root_side, int root) {
    if (side != root_side) return root;
    return mine == root ? MPI_ROOT : MPI_PROC_NULL;
}

static void rooted(MPI_Comm inter, int round) {
    int root_side = round % 2, root = round / 2 % (side == root_side ? size - others : others);
    int argument = root_argument(root_side, root), root_world = 2 * root + root_side;
    int value = argument == MPI_ROOT ? 1000 * round + rank : -1;
    MPI_Bcast(&value, 1, MPI_INT, argument, inter);
    if (side != root_side) CHECK_EQUAL(value, 1000 * round + root_world);

    int sum = -1, mine_out = rank, gathered[kMost], scattered = -1, parts[kMost];
    MPI_Reduce(&mine_out, &sum, 1, MPI_INT, MPI_SUM, argument, inter);
    MPI_Gather(&mine_out, 1, MPI_INT, gathered, 1, MPI_INT, argument, inter);
    for (int i = 0; i < others; ++i) parts[i] = 10 * rank + i;
    MPI_Scatter(parts, 1, MPI_INT, &scattered, 1, MPI_INT, argument, inter);
    if (argument == MPI_ROOT) {
        int wanted = 0;
        for (int i = 0; i < others; ++i) wanted += other_world(i);
        CHECK_EQUAL(sum, wanted);
        for (int i = 0; i < others; ++i) CHECK_EQUAL(gathered[i], other_world(i));
    } else if (side != root_side) {
        CHECK_EQUAL(scattered, 10 * root_world + mine);
    }
}

static void both_directions(MPI_Comm inter, int round) {
    int value = 100 * round + rank, got[kMost], parts[kMost];
    MPI_Allgather(&value, 1, MPI_INT, got, 1, MPI_INT, inter);
    for (int i = 0; i < others; ++i) CHECK_EQUAL(got[i], 100 * round + other_world(i));
    for (int i = 0; i < others; ++i) parts[i] = 10 * rank + i;
    MPI_Alltoall(parts, 1, MPI_INT, got, 1, MPI_INT, inter);
    for (int i = 0; i < others; ++i) CHECK_EQUAL(got[i], 10 * other_world(i) + mine);
    MPI_Request requests[2];
    int sum = -1;
    MPI_Iallreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, inter, &requests[0]);
    MPI_Ibarrier(inter, &requests[1]);
    if (round % 3 == rank % 3) compute_a_while();
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    int wanted = 0;
    for (int i = 0; i < others; ++i) wanted += other_world(i);
    CHECK_EQUAL(sum, wanted);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "intercomm_collectives");
    MPI_Comm half, inter = between_sides(&half);
    int round = 0;
    ready();
    do {
        rooted(inter, ++round);
        both_directions(inter, round);
        // Overlaps with the intercommunicator in each group.
        MPI_Barrier(half);
    } while (all_still_waiting(MPI_COMM_WORLD));
    check_inter(inter);
    MPI_Comm_free(&inter);
    CHECK(inter == MPI_COMM_NULL);
    return finish();
}
