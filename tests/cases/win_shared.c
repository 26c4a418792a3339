// Memory of MPI_Win_allocate_shared (MPI-3.1, 11.2.3): after the restart it is where it was in every rank, holds what it
// held, and is shared: what one rank stores the others load.  Loads, stores and one-sided operations may be mixed.
#include "testcase_mpi.h"

enum { kLongs = 5000 };

static void check_sharing(MPI_Win window, long *own, int round) {
    for (int i = 0; i < kLongs; ++i) own[i] = round * 1000000L + rank * 10000 + i;
    MPI_Win_sync(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    for (int other = 0; other < size; ++other) {
        MPI_Aint bytes;
        int unit;
        long *theirs;
        MPI_Win_shared_query(window, other, &bytes, &unit, &theirs);
        CHECK(bytes >= (MPI_Aint)(kLongs * sizeof(long)));  // whole pages, where each has its own
        CHECK_EQUAL(unit, sizeof(long));
        for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(theirs[i], round * 1000000L + other * 10000 + i);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_shared");
    long *base, *apart, *first, got = -1, one = 1;
    MPI_Aint bytes;
    int unit, *flavor, found, right = (rank + 1) % size;
    MPI_Info info;
    MPI_Win window, gaps, some;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    MPI_Win_allocate_shared(kLongs * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &base, &window);
    MPI_Win_allocate_shared(kLongs * sizeof(long), sizeof(long), info, MPI_COMM_WORLD, &apart, &gaps);
    MPI_Win_allocate_shared(rank == size - 1 ? 16 : 0, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &first, &some);
    MPI_Info_free(&info);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
    check_sharing(window, base, 1);
    ready();
    wait_for_go();

    for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(base[i], 1000000L + rank * 10000 + i);
    MPI_Win_shared_query(window, 0, &bytes, &unit, &first);
    CHECK(base == first + (long)rank * kLongs);  // one behind another
    check_sharing(window, base, 2);
    MPI_Get(&got, 1, MPI_LONG, right, 5, 1, MPI_LONG, window);
    MPI_Win_flush(right, window);
    CHECK_EQUAL(got, 2000000L + right * 10000 + 5);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Accumulate(&one, 1, MPI_LONG, 0, 7, 1, MPI_LONG, MPI_SUM, window);
    MPI_Win_flush(0, window);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(first[7], 2000007L + size);
    MPI_Win_unlock_all(window);
    MPI_Win_fence(0, gaps);
    check_sharing(gaps, apart, 3);
    MPI_Win_fence(0, gaps);
    MPI_Win_shared_query(some, MPI_PROC_NULL, &bytes, &unit, &first);
    CHECK_EQUAL(bytes, 16);
    first[1] = 4;
    MPI_Win_get_attr(some, MPI_WIN_CREATE_FLAVOR, &flavor, &found);
    CHECK(found && *flavor == MPI_WIN_FLAVOR_SHARED);
    MPI_Win_free(&some);
    MPI_Win_free(&gaps);
    MPI_Win_free(&window);
    return finish();
}
