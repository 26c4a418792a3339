// Every non-blocking collective, started before the cut and completed after it, in the same order in all ranks
// (MPI-3.1, 5.12 and 7.7).
#include "testcase_mpi.h"

enum { kMost = 8, kRequests = 17 };

static int counts[kMost], places[kMost];
static int each[kRequests][kMost * kMost], all[kRequests][kMost * kMost];

static void start_all(MPI_Request *requests) {
    int i = 0;
    for (int r = 0; r < size; ++r) {
        counts[r] = r % 2 + 1; /* of the v variants */
        places[r] = 2 * r;
    }
    for (int k = 0; k < kRequests; ++k)
        for (int j = 0; j < kMost * kMost; ++j) {
            each[k][j] = 1000 * k + 100 * rank + j;
            all[k][j] = -1;
        }
    const MPI_Comm world = MPI_COMM_WORLD;
    const int mine = counts[rank], root = size - 1;
    MPI_Ibarrier(world, &requests[i++]);
    MPI_Ibcast(each[i], 4, MPI_INT, root, world, &requests[i]), ++i;
    MPI_Igather(each[i], 2, MPI_INT, all[i], 2, MPI_INT, root, world, &requests[i]), ++i;
    MPI_Igatherv(each[i], mine, MPI_INT, all[i], counts, places, MPI_INT, root, world, &requests[i]), ++i;
    MPI_Iscatter(each[i], 2, MPI_INT, all[i], 2, MPI_INT, root, world, &requests[i]), ++i;
    MPI_Iscatterv(each[i], counts, places, MPI_INT, all[i], mine, MPI_INT, root, world, &requests[i]), ++i;
    MPI_Iallgather(each[i], 2, MPI_INT, all[i], 2, MPI_INT, world, &requests[i]), ++i;
    MPI_Iallgatherv(each[i], mine, MPI_INT, all[i], counts, places, MPI_INT, world, &requests[i]), ++i;
    MPI_Ialltoall(each[i], 1, MPI_INT, all[i], 1, MPI_INT, world, &requests[i]), ++i;
    {
        static int send_counts[kMost], receive_counts[kMost];
        static MPI_Datatype types[kMost];
        static int bytes[kMost];
        for (int r = 0; r < size; ++r) {
            send_counts[r] = counts[r];
            receive_counts[r] = mine;
            types[r] = MPI_INT;
            bytes[r] = places[r] * (int)sizeof(int);
        }
        MPI_Ialltoallv(each[i], send_counts, places, MPI_INT, all[i], receive_counts, places, MPI_INT, world,
                       &requests[i]), ++i;
        MPI_Ialltoallw(each[i], send_counts, bytes, types, all[i], receive_counts, bytes, types, world, &requests[i]), ++i;
    }
    MPI_Ireduce(each[i], all[i], 3, MPI_INT, MPI_SUM, root, world, &requests[i]), ++i;
    MPI_Iallreduce(each[i], all[i], 3, MPI_INT, MPI_MAX, world, &requests[i]), ++i;
    MPI_Ireduce_scatter(each[i], all[i], counts, MPI_INT, MPI_SUM, world, &requests[i]), ++i;
    MPI_Ireduce_scatter_block(each[i], all[i], 2, MPI_INT, MPI_SUM, world, &requests[i]), ++i;
    MPI_Iscan(each[i], all[i], 2, MPI_INT, MPI_SUM, world, &requests[i]), ++i;
    MPI_Iexscan(each[i], all[i], 2, MPI_INT, MPI_SUM, world, &requests[i]), ++i;
    CHECK_EQUAL(i, kRequests);
}

static int value(int k, int of, int j) { return 1000 * k + 100 * of + j; }
static int sum_to(int k, int ranks, int j) {
    int sum = 0;
    for (int r = 0; r < ranks; ++r) sum += value(k, r, j);
    return sum;
}

static void check_all(void) {
    const int mine = counts[rank], root = size - 1;
    const int at_root = rank == root;
    int before = 0;
    for (int j = 0; j < 4; ++j) CHECK_EQUAL(each[1][j], value(1, root, j));
    for (int r = 0; r < size; ++r) {
        for (int j = 0; j < 2; ++j) {
            if (at_root) CHECK_EQUAL(all[2][2 * r + j], value(2, r, j));
            CHECK_EQUAL(all[6][2 * r + j], value(6, r, j));
        }
        for (int j = 0; j < counts[r]; ++j) {
            if (at_root) CHECK_EQUAL(all[3][places[r] + j], value(3, r, j));
            CHECK_EQUAL(all[7][places[r] + j], value(7, r, j));
        }
        CHECK_EQUAL(all[8][r], value(8, r, rank));
        for (int j = 0; j < mine; ++j) {
            CHECK_EQUAL(all[9][places[r] + j], value(9, r, places[rank] + j));
            CHECK_EQUAL(all[10][places[r] + j], value(10, r, places[rank] + j));
        }
        if (r < rank) before += counts[r];
    }
    for (int j = 0; j < 2; ++j) CHECK_EQUAL(all[4][j], value(4, root, 2 * rank + j));
    for (int j = 0; j < mine; ++j) CHECK_EQUAL(all[5][j], value(5, root, places[rank] + j));
    for (int j = 0; j < 3; ++j) {
        if (at_root) CHECK_EQUAL(all[11][j], sum_to(11, size, j));
        CHECK_EQUAL(all[12][j], value(12, size - 1, j));
    }
    for (int j = 0; j < mine; ++j) CHECK_EQUAL(all[13][j], sum_to(13, size, before + j));
    for (int j = 0; j < 2; ++j) {
        CHECK_EQUAL(all[14][j], sum_to(14, size, 2 * rank + j));
        CHECK_EQUAL(all[15][j], sum_to(15, rank + 1, j));
        if (rank > 0) CHECK_EQUAL(all[16][j], sum_to(16, rank, j));
    }
}

int main(int argc, char **argv) {
    MPI_Request requests[kRequests];
    start(&argc, &argv, "conf_nonblocking_collectives");
    CHECK(size <= kMost);
    start_all(requests);
    ready();
    wait_for_go();
    MPI_Waitall(kRequests, requests, MPI_STATUSES_IGNORE);
    check_all();
    start_all(requests);
    MPI_Waitall(kRequests, requests, MPI_STATUSES_IGNORE);
    check_all();
    return finish();
}
