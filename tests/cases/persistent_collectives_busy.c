// Persistent collectives on overlapping communicators are started all the time, one is made and freed in every round.
#include "testcase_mpi.h"
#include <mpi-ext.h>

int main(int argc, char **argv) {
    enum { kKept = 3, kSome = 2 };
    MPI_Comm part, comms[kKept];
    MPI_Request requests[kKept + 1];
    MPI_Status statuses[kKept + 1];
    long in = 0, out[kKept] = {0}, told = 0;
    int members;
    start(&argc, &argv, "persistent_collectives_busy");
    MPI_Comm_split(MPI_COMM_WORLD, rank / kSome, rank, &part);
    MPI_Comm_size(part, &members);
    comms[0] = part, comms[1] = MPI_COMM_WORLD, comms[2] = MPI_COMM_SELF;
    for (int i = 0; i < kKept; ++i)
        MPIX_Allreduce_init(&in, &out[i], 1, MPI_LONG, MPI_SUM, comms[i], MPI_INFO_NULL, &requests[i]);
    ready();
    for (long round = 0; all_still_waiting(MPI_COMM_WORLD); ++round) {
        MPIX_Bcast_init(&told, 1, MPI_LONG, round % size, MPI_COMM_WORLD, MPI_INFO_NULL, &requests[kKept]);
        in = round + rank;
        told = round % size == rank ? round : -1;
        for (int i = 0; i <= kKept; ++i) MPI_Start(&requests[(i + rank) % (kKept + 1)]);
        if (round % 2) {
            MPI_Waitall(kKept + 1, requests, statuses);
        } else {
            for (int i = kKept; i >= 0; --i) MPI_Wait(&requests[i], &statuses[i]);
        }
        const int first = rank / kSome * kSome;
        long sum = 0;
        for (int r = first; r < first + members; ++r) sum += round + r;
        CHECK_EQUAL(out[0], sum);
        CHECK_EQUAL(out[1], size * round + size * (size - 1) / 2);
        CHECK_EQUAL(out[2], in);
        CHECK_EQUAL(told, round);
        CHECK(requests[0] != MPI_REQUEST_NULL);
        MPI_Request_free(&requests[kKept]);
    }
    for (int i = 0; i < kKept; ++i) MPI_Request_free(&requests[i]);
    MPI_Comm_free(&part);
    return finish();
}
