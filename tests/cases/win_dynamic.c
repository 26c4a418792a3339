// Dynamic windows (MPI-3.1, 11.2.4): memory is attached and detached before and after the restart, and found by its
// address.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kInts = 3000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "win_dynamic");
    int *early = malloc(kInts * sizeof *early), *late = malloc(kInts * sizeof *late), gone[10];
    int right = (rank + 1) % size, left = (rank + size - 1) % size, values[kInts];
    MPI_Aint place, theirs;
    MPI_Win window;
    MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_attach(window, gone, sizeof gone);
    MPI_Win_attach(window, early, kInts * sizeof *early);
    MPI_Win_detach(window, gone);
    MPI_Get_address(early, &place);
    MPI_Sendrecv(&place, 1, MPI_AINT, left, 0, &theirs, 1, MPI_AINT, right, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Win_lock_all(0, window);
    for (int i = 0; i < kInts; ++i) values[i] = rank * kInts + i;
    MPI_Put(values, kInts, MPI_INT, right, theirs, kInts, MPI_INT, window);
    MPI_Win_flush(right, window);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    MPI_Get(values, kInts, MPI_INT, right, theirs, kInts, MPI_INT, window);
    MPI_Win_flush(right, window);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(values[i], rank * kInts + i);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(early[i], left * kInts + i);
    MPI_Win_attach(window, late, kInts * sizeof *late);
    MPI_Get_address(late, &place);
    MPI_Sendrecv(&place, 1, MPI_AINT, left, 0, &theirs, 1, MPI_AINT, right, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Put(values, kInts, MPI_INT, right, theirs, kInts, MPI_INT, window);
    MPI_Win_unlock_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(late[i], left * kInts + i);
    MPI_Win_detach(window, early);
    MPI_Win_detach(window, late);
    MPI_Win_free(&window);
    return finish();
}
