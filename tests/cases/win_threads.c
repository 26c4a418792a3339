// Several threads of each rank in one-sided communication at once (MPI_THREAD_MULTIPLE): one competes for a lock, one
// adds under a lock of its own on everybody, the main thread goes from fence to fence.
#include <pthread.h>
#include <stdatomic.h>

#include "testcase_mpi.h"

static MPI_Win locked, added, fenced;
static long counter[2], sums[2], put[1];
static _Atomic int over;
static long lock_rounds, add_rounds;
static pthread_barrier_t done, through;  // threads of this rank; all ranks

static void *compete(void *nothing) {
    while (!atomic_load(&over)) {
        long got[2];
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, locked);
        MPI_Get(got, 2, MPI_LONG, 0, 0, 2, MPI_LONG, locked);
        MPI_Win_flush(0, locked);
        CHECK_EQUAL(got[0], got[1]);
        ++got[0], ++got[1];
        MPI_Put(got, 2, MPI_LONG, 0, 0, 2, MPI_LONG, locked);
        MPI_Win_unlock(0, locked);
        ++lock_rounds;
    }
    pthread_barrier_wait(&done);
    pthread_barrier_wait(&through);
    return nothing;
}

static void *add(void *nothing) {
    long one = 1;
    MPI_Win_lock_all(0, added);
    while (!atomic_load(&over)) {
        MPI_Accumulate(&one, 1, MPI_LONG, add_rounds % size, 0, 1, MPI_LONG, MPI_SUM, added);
        MPI_Win_flush_all(added);
        ++add_rounds;
    }
    MPI_Win_unlock_all(added);
    pthread_barrier_wait(&done);
    pthread_barrier_wait(&through);
    return nothing;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("win_threads");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    pthread_t threads[2];
    long round = 0;
    MPI_Win_create(counter, sizeof counter, sizeof *counter, MPI_INFO_NULL, MPI_COMM_WORLD, &locked);
    MPI_Win_create(sums, sizeof sums, sizeof *sums, MPI_INFO_NULL, MPI_COMM_WORLD, &added);
    MPI_Win_create(put, sizeof put, sizeof *put, MPI_INFO_NULL, MPI_COMM_WORLD, &fenced);
    MPI_Win_fence(0, fenced);
    pthread_barrier_init(&done, NULL, 3);
    pthread_barrier_init(&through, NULL, 3);
    pthread_create(&threads[0], NULL, compete, NULL);
    pthread_create(&threads[1], NULL, add, NULL);
    ready();
    do {
        long value = ++round * 100 + rank;
        MPI_Put(&value, 1, MPI_LONG, (rank + 1) % size, 0, 1, MPI_LONG, fenced);
        MPI_Win_fence(0, fenced);
        CHECK_EQUAL(put[0], round * 100 + (rank + size - 1) % size);
        MPI_Win_fence(0, fenced);
    } while (all_still_waiting(MPI_COMM_WORLD));
    atomic_store(&over, 1);
    pthread_barrier_wait(&done);
    MPI_Barrier(MPI_COMM_WORLD);
    pthread_barrier_wait(&through);
    for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
    long mine[2] = {lock_rounds, add_rounds}, all[2], held = 0;
    MPI_Allreduce(mine, all, 2, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(sums, &held, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    CHECK_EQUAL(held, all[1]);
    if (rank == 0) CHECK_EQUAL(counter[0], all[0]);
    MPI_Win_free(&locked);
    MPI_Win_free(&added);
    MPI_Win_free(&fenced);
    return finish();
}
