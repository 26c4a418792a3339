// Ranks send more small messages than the transport can hold to a rank that computes and does not call MPI: MPI_Send
// waits inside of MPI until that rank lets the network move on, and hears of no checkpoint meanwhile.
#include "testcase_mpi.h"

enum { MESSAGES = 3000, TAG = 5 };

static int64_t value(int round, int from, int number) { return ((int64_t)round * 1000 + from) * MESSAGES + number; }

static void send_round(int round) {
    for (int i = 0; i < MESSAGES; ++i) {
        const int64_t sent = value(round, rank, i);
        MPI_Send(&sent, 1, MPI_INT64_T, 0, TAG, MPI_COMM_WORLD);
    }
}

static void receive_round(int round) {
    for (int i = 0; i < MESSAGES; ++i)
        for (int from = 1; from < size; ++from) {
            int64_t received = -1;
            MPI_Recv(&received, 1, MPI_INT64_T, from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(received, value(round, from, i));
        }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "eager_flood");
    int round = 0;
    ready();
    do {
        if (rank == 0) {
            compute_a_while();
            receive_round(round);
        } else {
            send_round(round);
        }
        ++round;
    } while (all_still_waiting(MPI_COMM_WORLD));
    return finish();
}
