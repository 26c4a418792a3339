// MPI_Waitall without statuses (MPI-3.1, 3.7.5) on receives of all kinds of ends: in order, cancelled, longer than there is
// room.  What it returns is native's, and every message is counted: a cut would wait for one that is not.
#include "testcase_mpi.h"

enum { kReceives = 5, kRounds = 3 };

static void exchange(const char *when) {
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    char out[64], in[kReceives][64];
    fill(out, sizeof out, rank);
    for (int round = 0; round < kRounds; ++round) {
        MPI_Request requests[kReceives];
        for (int i = 0; i < kReceives; ++i)
            MPI_Irecv(in[i], i == 1 ? 16 : 64, MPI_CHAR, i == 3 ? MPI_ANY_SOURCE : left, i, MPI_COMM_WORLD, &requests[i]);
        MPI_Cancel(&requests[2]);
        for (int i = 0; i < kReceives; ++i)
            if (i != 2) MPI_Send(out, 32 + i, MPI_CHAR, right, i, MPI_COMM_WORLD);
        int code = MPI_Waitall(kReceives, requests, MPI_STATUSES_IGNORE), kind;
        MPI_Error_class(code, &kind);
        tell("%s: class %d", when, kind);
        // After an error others may be left to be waited for.
        for (int i = 0; i < kReceives; ++i) MPI_Wait(&requests[i], MPI_STATUS_IGNORE);
        for (int i = 0; i < kReceives; ++i)
            if (i != 1 && i != 2) expect(in[i], (size_t)(32 + i), left, "a message in order");
        // Nothing but what is in order, too.
        for (int i = 0; i < 2; ++i) MPI_Irecv(in[i], 64, MPI_CHAR, left, 9, MPI_COMM_WORLD, &requests[i]);
        for (int i = 0; i < 2; ++i) MPI_Send(out, 64, MPI_CHAR, right, 9, MPI_COMM_WORLD);
        CHECK_EQUAL(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE), MPI_SUCCESS);
        expect(in[1], 64, left, "a message alone");
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "waitall_ignored");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    exchange("before the cut");
    ready();
    wait_for_go();
    exchange("after the cut");
    return finish();
}
