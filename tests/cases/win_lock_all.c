// A shared lock on everybody that is held for the life of the program (MPI_Win_lock_all), with puts that are not
// flushed yet at the checkpoint: they are there after it, and the epoch goes on.
#include "testcase_mpi.h"

enum { kBytes = 100000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "win_lock_all");
    static unsigned char memory[2 * kBytes], data[kBytes];
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_lock_all(0, window);
    fill(data, kBytes, rank);
    for (int i = 0; i < 10; ++i)
        MPI_Put(data + i * kBytes / 10, kBytes / 10, MPI_BYTE, right, i * kBytes / 10, kBytes / 10, MPI_BYTE, window);
    MPI_Barrier(MPI_COMM_WORLD);  // some transports need the target's help to issue an operation at all
    ready();
    wait_for_go();

    MPI_Win_flush(right, window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    expect(memory, kBytes, left, "put before the checkpoint");
    fill(data, kBytes, 1000 + rank);
    MPI_Put(data, kBytes, MPI_BYTE, right, kBytes, kBytes, MPI_BYTE, window);
    MPI_Win_flush_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    expect(memory + kBytes, kBytes, 1000 + left, "put after it");
    MPI_Win_unlock_all(window);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
    MPI_Get(data, kBytes, MPI_BYTE, right, 0, kBytes, MPI_BYTE, window);
    MPI_Win_flush_local_all(window);
    expect(data, kBytes, rank, "got");
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
    return finish();
}
