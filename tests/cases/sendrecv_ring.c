// A ring that never rests: each message says whether there is a next round, and every byte of it is checked.
#include "testcase_mpi.h"

enum { kBytes = 5000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "sendrecv_ring");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    static struct {
        long round;
        int stop_at_hop;  // counts down: a stop begun by rank 0 reaches everybody in the same round
        char data[kBytes];
    } out, in;
    // Rank 0 ends it; the word travels one rank a round, so all stop `size` rounds after it was given.
    out.stop_at_hop = -1;
    ready();
    for (long round = 0; out.stop_at_hop != 0; ++round) {
        if (rank == 0 && out.stop_at_hop < 0 && !still_waiting()) out.stop_at_hop = size;
        out.round = round;
        int bytes = mix(round) % kBytes;
        fill(out.data, bytes, round * size + rank);
        MPI_Sendrecv(&out, sizeof out, MPI_CHAR, right, round % 100, &in, sizeof in, MPI_CHAR, left, round % 100,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(in.round, round);
        expect(in.data, bytes, round * size + left, "the message of the left neighbour");
        if (out.stop_at_hop > 0)
            --out.stop_at_hop;
        else if (in.stop_at_hop > 0)
            out.stop_at_hop = in.stop_at_hop - 1;
    }
    return finish();
}
