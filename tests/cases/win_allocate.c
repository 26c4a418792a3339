// Memory of MPI_Win_allocate (MPI-3.1, 11.2.2): where it was, with what was in it, and still the window's.
#include "testcase_mpi.h"

enum { kBytes = 300000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "win_allocate");
    unsigned char *base, *mine, *nothing;
    int right = (rank + 1) % size, left = (rank + size - 1) % size, *flavor, *unit, found;
    MPI_Aint *bytes;
    MPI_Win window, empty, gone;
    MPI_Win_allocate(kBytes, 4, MPI_INFO_NULL, MPI_COMM_WORLD, &mine, &gone);
    MPI_Win_allocate(2 * kBytes, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &base, &window);
    MPI_Win_allocate(rank == 0 ? 8 : 0, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &nothing, &empty);
    MPI_Win_free(&gone);
    fill(base, kBytes, rank);
    MPI_Win_fence(0, window);
    ready();
    wait_for_go();

    expect(base, kBytes, rank, "the memory");
    MPI_Get(base + kBytes, kBytes, MPI_BYTE, right, 0, kBytes, MPI_BYTE, window);
    MPI_Win_fence(0, window);
    expect(base + kBytes, kBytes, right, "got from the neighbour");
    MPI_Barrier(MPI_COMM_WORLD);
    fill(base + kBytes, kBytes, 1000 + rank);
    MPI_Win_lock(MPI_LOCK_SHARED, left, 0, window);
    MPI_Put(base + kBytes, kBytes, MPI_BYTE, left, 0, kBytes, MPI_BYTE, window);
    MPI_Win_unlock(left, window);
    MPI_Barrier(MPI_COMM_WORLD);
    expect(base, kBytes, 1000 + right, "put by the neighbour");
    MPI_Win_get_attr(window, MPI_WIN_CREATE_FLAVOR, &flavor, &found);
    CHECK(found);
    CHECK_EQUAL(*flavor, MPI_WIN_FLAVOR_ALLOCATE);
    MPI_Win_get_attr(window, MPI_WIN_BASE, &mine, &found);
    CHECK(found && mine == base);
    MPI_Win_get_attr(window, MPI_WIN_SIZE, &bytes, &found);
    CHECK(found && *bytes == 2 * kBytes);
    MPI_Win_get_attr(window, MPI_WIN_DISP_UNIT, &unit, &found);
    CHECK(found && *unit == 1);
    MPI_Win_free(&empty);
    MPI_Win_free(&window);
    return finish();
}
