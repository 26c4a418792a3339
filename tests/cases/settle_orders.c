// The situations in which variants of the agreement failed (the counterexamples that settle_test.cc has on synthetic
// ranks), as programs: the argument names one.  Five ranks; the ranks of a pair synchronise on a communicator of their
// own.  Who is early and who late changes from round to round, and so does where the checkpoint meets them.
#include <string.h>

#include "testcase_mpi.h"

enum { RANKS = 5, ONE = 1, OTHER = 2 };
static MPI_Comm pairs[RANKS][RANKS];
static uint64_t now;  // the round

static void make_pairs(void) {
    MPI_Group world, group;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    for (int a = 0; a < RANKS; ++a)
        for (int b = a + 1; b < RANKS; ++b) {
            const int members[2] = {a, b};
            if (rank != a && rank != b) continue;
            MPI_Group_incl(world, 2, members, &group);
            MPI_Comm_create_group(MPI_COMM_WORLD, group, a * RANKS + b, &pairs[a][b]);
            pairs[b][a] = pairs[a][b];
            MPI_Group_free(&group);
        }
    MPI_Group_free(&world);
}

// Some milliseconds without a call, in some of the rounds.
static void be_late(void) {
    const uint64_t chance = mix(now * RANKS + rank);
    uint64_t work = chance;
    if (chance % 3 == 0)
        for (uint64_t i = 0; i < chance % 2000000; ++i) work = mix(work);
    CHECK(work != 0);
}

// Blocking, over this rank and `other`.
static void meet(int other) {
    int64_t mine = now * RANKS + rank, sum = 0;
    be_late();
    MPI_Allreduce(&mine, &sum, 1, MPI_INT64_T, MPI_SUM, pairs[rank][other]);
    CHECK_EQUAL(sum, (int64_t)(2 * now * RANKS + rank + other));
}
static void send_to(int other, int tag) {
    const int64_t value = now * 100 + tag;
    MPI_Send(&value, 1, MPI_INT64_T, other, tag, MPI_COMM_WORLD);
}
static void receive_from(int other, int tag) {
    int64_t value = -1;
    be_late();
    MPI_Recv(&value, 1, MPI_INT64_T, other, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK_EQUAL(value, (int64_t)(now * 100 + tag));
}

// CE1: one that has not heard of the request is inside, deaf, and waits for one that has.
static void ce1(void) {
    if (rank == 1) meet(2);
    if (rank == 2) meet(1);
}
// CE2: one that others wait for waits itself, in point-to-point, for one at its gate.
static void ce2(void) {
    if (rank == 1) meet(2);
    if (rank == 2) receive_from(3, ONE), meet(1);
    if (rank == 3) meet(0), send_to(2, ONE);
    if (rank == 0) meet(3);
}
// CE3: entering one collective calls another rank into the next, and so on.
static void ce3(void) {
    if (rank > 0) meet(rank - 1);
    if (rank < RANKS - 1) meet(rank + 1);
}
// CE4: whoever relays in the tree (1, the parent of 3 and 4) is deaf, and what has to be relayed concerns its children.
static void ce4(void) {
    if (rank == 1) meet(2);
    if (rank == 2) receive_from(3, ONE), meet(1);
    if (rank == 3) meet(4), send_to(2, ONE);
    if (rank == 4) meet(3);
}
// CE5: what a rank owes lies behind another collective, which nobody has entered yet.
static void ce5(void) {
    if (rank == 1) meet(2);
    if (rank == 2) meet(3), meet(1);
    if (rank == 3) meet(2);
}
// CE6: a non-blocking collective initiated long before is waited for, of one that waits for a message of one at its gate.
static void ce6(void) {
    MPI_Request request = MPI_REQUEST_NULL;
    if (rank == 2) MPI_Ibarrier(pairs[2][3], &request);
    if (rank == 1) meet(2);
    if (rank == 2) {
        be_late();
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        meet(1);
    }
    if (rank == 3) {
        receive_from(4, ONE);
        MPI_Ibarrier(pairs[2][3], &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    if (rank == 4) meet(0), send_to(3, ONE);
    if (rank == 0) meet(4);
}
// CE7 and CE8: activity travels round the ranks while waves count who is passive: with blocking and with non-blocking
// collectives.
static void travel(bool blocking) {
    for (int side = -1; side <= 1; side += 2) {
        const int other = rank + side;
        if (other < 0 || other >= RANKS) continue;
        if (blocking) {
            meet(other);
        } else {
            MPI_Request request;
            be_late();
            MPI_Ibarrier(pairs[rank][other], &request);
            be_late();
            MPI_Wait(&request, MPI_STATUS_IGNORE);
        }
        if (side < 0)
            receive_from(other, ONE);
        else
            send_to(other, ONE);
    }
}
static void ce7(void) { travel(true); }
static void ce8(void) { travel(false); }
// CE9: a message of another tag has been sent already, and is not what is waited for.
static void ce9(void) {
    if (rank == 1) meet(2);
    if (rank == 2) receive_from(3, ONE), meet(1), receive_from(3, OTHER);
    if (rank == 3) send_to(2, OTHER), meet(4), send_to(2, ONE);
    if (rank == 4) meet(3);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } all[] = {{"ce1", ce1}, {"ce2", ce2}, {"ce3", ce3}, {"ce4", ce4}, {"ce5", ce5},
               {"ce6", ce6}, {"ce7", ce7}, {"ce8", ce8}, {"ce9", ce9}};
    start(&argc, &argv, "settle_orders");
    CHECK_EQUAL(size, RANKS);
    void (*run)(void) = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (argc == 2 && strcmp(argv[1], all[i].name) == 0) run = all[i].run;
    CHECK(run != NULL);
    make_pairs();
    ready();
    // Rounds that end by a collective of all would keep apart what is to meet, but those who have nothing to do must not
    // run ahead for ever: so every now and then.
    do {
        for (int i = 0; i < 8; ++i, ++now) run();
        MPI_Barrier(MPI_COMM_WORLD);
    } while (all_still_waiting(MPI_COMM_WORLD));
    for (int other = 0; other < RANKS; ++other)
        if (other != rank) MPI_Comm_free(&pairs[rank][other]);
    return finish();
}
