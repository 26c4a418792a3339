// Windows of MPI_Win_create and epochs of MPI_Win_fence (MPI-3.1, 11.2.1, 11.5.1): after the restart put, get and
// accumulate reach the same memory, in the epoch that a fence before the checkpoint has opened, on all of the world and
// on parts of it; displacement units may differ.
#include "testcase_mpi.h"

enum { kInts = 1000 };

static void exchange(MPI_Win window, int *memory, int place, int members, int seed) {
    int right = (place + 1) % members, left = (place + members - 1) % members;
    int given[kInts], got[kInts], one = 1;
    for (int i = 0; i < kInts; ++i) given[i] = seed + place * kInts + i;
    // In the epoch that is open already.
    MPI_Put(given, kInts, MPI_INT, right, 0, kInts, MPI_INT, window);
    for (int i = 0; i < members; ++i) MPI_Accumulate(&one, 1, MPI_INT, i, kInts, 1, MPI_INT, MPI_SUM, window);
    MPI_Win_fence(0, window);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(memory[i], seed + left * kInts + i);
    CHECK_EQUAL(memory[kInts], members);
    memory[kInts] = 0;
    MPI_Win_fence(0, window);
    MPI_Get(got, kInts, MPI_INT, left, 0, kInts, MPI_INT, window);
    MPI_Win_fence(0, window);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(got[i], seed + (left + members - 1) % members * kInts + i);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_create_fence");
    static int one[kInts + 1], other[kInts + 1], closed;
    MPI_Comm half;
    MPI_Win all, part, idle, bytes;
    int place, members, got = -1;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &half);
    MPI_Comm_rank(half, &place);
    MPI_Comm_size(half, &members);
    MPI_Win_create(one, sizeof one, sizeof *one, MPI_INFO_NULL, MPI_COMM_WORLD, &all);
    MPI_Win_create(other, sizeof other, sizeof *other, MPI_INFO_NULL, half, &part);
    MPI_Comm_free(&half);
    MPI_Win_create(&closed, sizeof closed, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &idle);
    MPI_Win_create(rank == 0 ? &closed : NULL, rank == 0 ? sizeof closed : 0, rank + 1, MPI_INFO_NULL, MPI_COMM_WORLD,
                   &bytes);
    MPI_Win_fence(0, all);
    MPI_Win_fence(MPI_MODE_NOPRECEDE, part);
    exchange(all, one, rank, size, 1);
    MPI_Win_fence(0, idle);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, idle);
    ready();
    wait_for_go();

    exchange(all, one, rank, size, 100000);
    exchange(part, other, place, members, 200000);
    closed = 1000 + rank;
    MPI_Win_fence(MPI_MODE_NOPRECEDE, idle);
    MPI_Get(&got, 1, MPI_INT, (rank + 1) % size, 0, 1, MPI_INT, idle);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, idle);
    CHECK_EQUAL(got, 1000 + (rank + 1) % size);
    MPI_Win_fence(0, bytes);
    MPI_Get(&got, sizeof got, MPI_BYTE, 0, 0, sizeof got, MPI_BYTE, bytes);
    MPI_Win_fence(0, bytes);
    CHECK_EQUAL(got, 1000);
    MPI_Win_free(&bytes);
    MPI_Win_free(&part);
    MPI_Win_free(&all);
    MPI_Win_free(&idle);
    CHECK(all == MPI_WIN_NULL);
    return finish();
}
