// Ranks pass a token round through shared memory, waiting for it by looking, without MPI, while the checkpoint comes:
// it is never lost nor doubled, in no image.
#include <stdatomic.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_shared_busy");
    _Atomic long *token, *own;
    MPI_Aint bytes;
    int unit;
    long rounds = 0;
    MPI_Win window;
    MPI_Win_allocate_shared(rank == 0 ? 2 * sizeof(long) : 0, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &own, &window);
    MPI_Win_shared_query(window, 0, &bytes, &unit, &token);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
    if (rank == 0) token[0] = token[1] = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    // token[0]: whose turn it is, counted on; token[1]: rank 0 has seen that it is over.
    for (bool over = false; !over; ++rounds) {
        while (atomic_load(&token[0]) != rounds * size + rank)
            if (atomic_load(&token[0]) > rounds * size + rank) fail("the token came past without being seen");
        if (rank == 0 && !still_waiting()) atomic_store(&token[1], 1);
        over = atomic_load(&token[1]) != 0;
        if (rank == 0 && rounds % 50 == 0) nap();
        atomic_store(&token[0], rounds * size + rank + 1);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(atomic_load(&token[0]), rounds * size);
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
    return finish();
}
