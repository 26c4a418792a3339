// Messages between two groups at the cut: eager and long ones in flight, synchronous sends, pending receives with
// wildcards, a message in hand, persistent requests; ranks are those of the remote group (MPI-3.1, 6.6).
#include <stdlib.h>
#include <string.h>

#include "two_groups.h"

enum { kLong = 300000, kMost = 8 };

int main(int argc, char **argv) {
    start(&argc, &argv, "intercomm_p2p");
    MPI_Comm half, inter = between_sides(&half);
    MPI_Request sends[3 * kMost], receives[kMost], persistent[2];
    MPI_Status status;
    MPI_Message message;
    char *out = malloc(kLong), *in = malloc(kLong);
    int sent = 0, small = 100 + rank, late[kMost], got, count, flag;
    // To the matching rank of the other side, or to its last one.
    int peer = mine < others ? mine : others - 1;
    fill(out, kLong, rank);
    for (int i = 0; i < others; ++i) {
        MPI_Isend(&small, 1, MPI_INT, i, 1, inter, &sends[sent++]);
        MPI_Isend(out, kLong, MPI_CHAR, i, 2, inter, &sends[sent++]);
        MPI_Issend(&small, 1, MPI_INT, i, 3, inter, &sends[sent++]);
        // What answers these is sent after the cut.
        MPI_Irecv(&late[i], 1, MPI_INT, MPI_ANY_SOURCE, 4, inter, &receives[i]);
    }
    MPI_Send_init(&small, 1, MPI_INT, peer, 5, inter, &persistent[0]);
    MPI_Mprobe(0, 1, inter, &message, &status);
    CHECK_EQUAL(status.MPI_SOURCE, 0);
    ready();
    wait_for_go();

    MPI_Mrecv(&got, 1, MPI_INT, &message, &status);
    CHECK_EQUAL(got, 100 + other_world(0));
    CHECK_EQUAL(status.MPI_SOURCE, 0);
    for (int i = 1; i < others; ++i) {
        MPI_Iprobe(i, 1, inter, &flag, &status);
        MPI_Recv(&got, 1, MPI_INT, i, 1, inter, &status);
        CHECK_EQUAL(got, 100 + other_world(i));
        CHECK_EQUAL(status.MPI_SOURCE, i);
    }
    for (int i = 0; i < others; ++i) {
        // Nobody has received this synchronous one yet.
        if (i == 0) {
            MPI_Barrier(half);
            MPI_Barrier(inter);
            MPI_Test(&sends[2], &flag, MPI_STATUS_IGNORE);
            CHECK(!flag);
            MPI_Barrier(inter);
        }
        MPI_Recv(in, kLong, MPI_CHAR, MPI_ANY_SOURCE, 2, inter, &status);
        MPI_Get_count(&status, MPI_CHAR, &count);
        CHECK_EQUAL(count, kLong);
        expect(in, kLong, other_world(status.MPI_SOURCE), "a long message");
        MPI_Recv(&got, 1, MPI_INT, i, 3, inter, MPI_STATUS_IGNORE);
        CHECK_EQUAL(got, 100 + other_world(i));
    }
    MPI_Waitall(sent, sends, MPI_STATUSES_IGNORE);

    for (int i = 0; i < others; ++i) MPI_Send(&rank, 1, MPI_INT, i, 4, inter);
    int seen = 0;
    for (int i = 0; i < others; ++i) {
        MPI_Wait(&receives[i], &status);
        CHECK_EQUAL(late[i], other_world(status.MPI_SOURCE));
        seen |= 1 << status.MPI_SOURCE;
    }
    CHECK_EQUAL(seen, (1 << others) - 1);

    MPI_Start(&persistent[0]);
    int expected = 0;
    for (int i = 0; i < others; ++i) expected += (i < size - others ? i : size - others - 1) == mine;
    while (expected--) MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, 5, inter, MPI_STATUS_IGNORE);
    MPI_Wait(&persistent[0], MPI_STATUS_IGNORE);
    MPI_Request_free(&persistent[0]);
    got = -1;
    MPI_Sendrecv(&rank, 1, MPI_INT, peer, 6, &got, 1, MPI_INT, mine < others ? mine : MPI_PROC_NULL, 6, inter, &status);
    if (mine < others) CHECK_EQUAL(got, other_world(mine));
    check_inter(inter);
    MPI_Comm_free(&inter);
    free(out);
    free(in);
    return finish();
}
