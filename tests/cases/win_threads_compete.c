// Threads of each rank compete for the locks of windows, each for one of its own, and hold them for long
// (MPI_THREAD_MULTIPLE): some thread of every rank waits inside for a lock nearly always, which must not let the others
// begin again for ever.
#include <pthread.h>

#include "testcase_mpi.h"

enum { kWindows = 8 };
static MPI_Win windows[kWindows];
static long counters[kWindows], turns[kWindows];

static void *compete(void *argument) {
    const long which = (long)argument;
    for (long got; still_waiting(); ++turns[which]) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, windows[which]);
        MPI_Get(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, windows[which]);
        MPI_Win_flush(0, windows[which]);
        for (int i = 0; i < 10; ++i) nap();
        ++got;
        MPI_Put(&got, 1, MPI_LONG, 0, 0, 1, MPI_LONG, windows[which]);
        MPI_Win_unlock(0, windows[which]);
    }
    return argument;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("win_threads_compete");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    pthread_t threads[kWindows];
    for (int i = 0; i < kWindows; ++i)
        MPI_Win_create(&counters[i], sizeof *counters, sizeof *counters, MPI_INFO_NULL, MPI_COMM_WORLD, &windows[i]);
    for (long i = 0; i < kWindows; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, compete, (void *)i), 0);
    ready();
    for (int i = 0; i < kWindows; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < kWindows; ++i) {
        long all = 0;
        MPI_Allreduce(&turns[i], &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        if (rank == 0) CHECK_EQUAL(counters[i], all);
        MPI_Win_free(&windows[i]);
    }
    return finish();
}
