// Synchronous sends among standard ones with the same tags, pending at the cut.  The receiver has matched some messages
// before it; each of the others completes its send when it is received, and not when another one is.
#include "testcase_mpi.h"

enum { kFirst, kSecond };  // tags
static int left, right;

static void pending(MPI_Request *request, const char *which) {
    int done = 0;
    for (int i = 0; i < 50 && !done; ++i) MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) fail("synchronous send %s completed although nobody has received it", which);
}

static void receive(int tag, int wanted) {
    int got = -1;
    MPI_Recv(&got, 1, MPI_INT, left, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, 100 * left + wanted);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "issend_tags");
    left = (rank + size - 1) % size, right = (rank + 1) % size;
    int value[9], got = -1, flag = 1;
    MPI_Request standard[4], a, b, c, d, e;
    MPI_Message message;
    MPI_Status status;
    for (int i = 0; i < 9; ++i) value[i] = 100 * rank + i;
    MPI_Isend(&value[0], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &standard[0]);
    MPI_Issend(&value[1], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &a);
    MPI_Isend(&value[2], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &standard[1]);
    MPI_Issend(&value[3], 1, MPI_INT, right, kSecond, MPI_COMM_WORLD, &b);
    MPI_Issend(&value[4], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &c);
    MPI_Isend(&value[5], 1, MPI_INT, right, kSecond, MPI_COMM_WORLD, &standard[2]);
    MPI_Issend(&value[6], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &d);
    receive(kFirst, 0);
    receive(kFirst, 1);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    while (still_waiting()) {
        pending(&b, "b");
        pending(&c, "c");
        MPI_Request both[2] = {c, d};
        int indices[2], count;
        MPI_Testall(2, both, &flag, MPI_STATUSES_IGNORE);
        if (flag) fail("MPI_Testall found synchronous sends complete that nobody has received");
        MPI_Testsome(2, both, &count, indices, MPI_STATUSES_IGNORE);
        CHECK_EQUAL(count, 0);
        MPI_Request_get_status(d, &flag, MPI_STATUS_IGNORE);
        CHECK_EQUAL(flag, 0);
        nap();
    }
    MPI_Wait(&a, MPI_STATUS_IGNORE);  // received before the cut, asked for only now
    MPI_Isend(&value[7], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &standard[3]);
    MPI_Issend(&value[8], 1, MPI_INT, right, kFirst, MPI_COMM_WORLD, &e);

    MPI_Barrier(MPI_COMM_WORLD);
    receive(kSecond, 3);
    MPI_Wait(&b, MPI_STATUS_IGNORE);
    pending(&c, "c");
    MPI_Barrier(MPI_COMM_WORLD);
    receive(kFirst, 2);
    MPI_Barrier(MPI_COMM_WORLD);
    pending(&c, "c");
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Mprobe(left, kFirst, MPI_COMM_WORLD, &message, &status);
    MPI_Mrecv(&got, 1, MPI_INT, &message, &status);
    CHECK_EQUAL(got, 100 * left + 4);
    MPI_Request both[2] = {d, c};
    int index;
    MPI_Waitany(2, both, &index, MPI_STATUS_IGNORE);
    CHECK_EQUAL(index, 1);
    pending(&both[0], "d");
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    CHECK_EQUAL(got, 100 * left + 5);
    CHECK_EQUAL(status.MPI_TAG, kSecond);
    receive(kFirst, 6);
    do MPI_Test(&both[0], &flag, MPI_STATUS_IGNORE);  // completes in a loop that only tests
    while (!flag);
    pending(&e, "e");
    MPI_Barrier(MPI_COMM_WORLD);
    receive(kFirst, 7);
    receive(kFirst, 8);
    MPI_Wait(&e, MPI_STATUS_IGNORE);
    MPI_Waitall(4, standard, MPI_STATUSES_IGNORE);
    return finish();
}
