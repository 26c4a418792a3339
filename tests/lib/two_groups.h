// An intercommunicator between the even and the odd ranks of the world; at least two ranks.
#pragma once

#include "testcase_mpi.h"

static int side, mine, others;  // 0: even, 1: odd; rank in the local group; size of the remote group

// World rank of a rank of the other group.
static inline int other_world(int other) { return 2 * other + 1 - side; }

// The leaders are the last rank of each side, the bridge is the world.
static inline MPI_Comm between_sides(MPI_Comm *half) {
    MPI_Comm inter;
    int count;
    side = rank % 2;
    MPI_Comm_split(MPI_COMM_WORLD, side, rank, half);
    MPI_Comm_rank(*half, &mine);
    MPI_Comm_size(*half, &count);
    others = size - count;
    MPI_Intercomm_create(*half, count - 1, MPI_COMM_WORLD, other_world(others - 1), 3, &inter);
    return inter;
}

// Fails unless the intercommunicator still has these groups and carries a collective between them.
static inline void check_inter(MPI_Comm inter) {
    int is_inter = 0, remote, local, sum = -1, wanted = 0, theirs[64], ranks[64];
    MPI_Group there, everybody;
    MPI_Comm_test_inter(inter, &is_inter);
    CHECK(is_inter);
    MPI_Comm_remote_size(inter, &remote);
    CHECK_EQUAL(remote, others);
    MPI_Comm_size(inter, &local);
    CHECK_EQUAL(local, size - others);
    MPI_Comm_remote_group(inter, &there);
    MPI_Comm_group(MPI_COMM_WORLD, &everybody);
    for (int i = 0; i < others; ++i) ranks[i] = i;
    MPI_Group_translate_ranks(there, others, ranks, everybody, theirs);
    for (int i = 0; i < others; ++i) {
        CHECK_EQUAL(theirs[i], other_world(i));
        wanted += other_world(i);
    }
    MPI_Group_free(&there);
    MPI_Group_free(&everybody);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, inter);
    CHECK_EQUAL(sum, wanted);
}
