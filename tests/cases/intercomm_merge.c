// Intercommunicators are made, merged and freed while the checkpoint comes: every creation and every merge can be under
// way at it.  Both orders of the merge; the error handler goes along (MPI-3.1, 6.6.2).
#include "two_groups.h"

static int calls;
static void handler(MPI_Comm *comm, int *code, ...) {
    (void)comm, (void)code;
    ++calls;
}

static void check_merged(MPI_Comm merged, int odd_first) {
    int position, evens = (size + 1) / 2, odds = size / 2;
    check_comm(merged, size);
    MPI_Comm_rank(merged, &position);
    if (odd_first)
        CHECK_EQUAL(position, side ? mine : odds + mine);
    else
        CHECK_EQUAL(position, side ? evens + mine : mine);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "intercomm_merge");
    MPI_Comm half, inter = between_sides(&half), kept, bridge;
    MPI_Errhandler errhandler, got;
    MPI_Comm_create_errhandler(handler, &errhandler);
    MPI_Comm_set_errhandler(inter, errhandler);
    MPI_Intercomm_merge(inter, side, &kept);
    MPI_Comm_dup(MPI_COMM_WORLD, &bridge);
    int round = 0;
    ready();
    do {
        MPI_Comm again, merged;
        ++round;
        if (rank == round % size) compute_a_while();
        MPI_Intercomm_create(half, 0, round % 2 ? bridge : MPI_COMM_WORLD, 1 - side, 9, &again);
        MPI_Intercomm_merge(again, round % 2 ? side : !side, &merged);
        check_merged(merged, !(round % 2));
        MPI_Comm_free(&again);
        check_comm(merged, size);
        MPI_Comm_free(&merged);
    } while (all_still_waiting(MPI_COMM_WORLD));

    check_inter(inter);
    check_merged(kept, 0);
    MPI_Comm_get_errhandler(inter, &got);
    CHECK(got == errhandler);
    MPI_Errhandler_free(&got);
    int before = calls;
    MPI_Send(&rank, 1, MPI_INT, 1000, 0, inter);
    CHECK_EQUAL(calls, before + 1);
    MPI_Send(&rank, 1, MPI_INT, 1000, 0, kept);
    CHECK_EQUAL(calls, before + 2);
    MPI_Errhandler_free(&errhandler);
    MPI_Comm_free(&inter);
    MPI_Comm_free(&kept);
    return finish();
}
