// While a window for one-sided access lives a checkpoint is declined; the window works on.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_window");
    int memory[2] = {-1, rank}, got = -1;
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    ready();
    wait_for_go();

    MPI_Win_fence(0, window);
    MPI_Put(&rank, 1, MPI_INT, (rank + 1) % size, 0, 1, MPI_INT, window);
    MPI_Get(&got, 1, MPI_INT, (rank + 1) % size, 1, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    CHECK_EQUAL(memory[0], (rank + size - 1) % size);
    CHECK_EQUAL(got, (rank + 1) % size);
    MPI_Win_free(&window);
    return finish();
}
