// MPI_THREAD_SERIALIZED: two threads use MPI in turn, never at the same time, while the main thread, in which the tick of
// the agreement runs, only waits (MPI-3.1, 12.4.3).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long rounds = 0;
static int over = 0;

static void *work(void *argument) {
    while (!over) {
        pthread_mutex_lock(&turn);
        if (!over) {
            long value = rounds, sum = 0, in = -1;
            over = !all_still_waiting(MPI_COMM_WORLD);
            MPI_Allreduce(&value, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
            CHECK_EQUAL(sum, size * value);
            MPI_Sendrecv(&value, 1, MPI_LONG, (rank + 1) % size, 1, &in, 1, MPI_LONG, (rank + size - 1) % size, 1,
                         MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(in, value);
            ++rounds;
        }
        pthread_mutex_unlock(&turn);
    }
    return argument;
}

int main(int argc, char **argv) {
    int provided;
    pthread_t threads[2];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    begin("thread_serialized");
    CHECK(provided >= MPI_THREAD_SERIALIZED);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < 2; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, work, &rounds), 0);
    ready();
    for (int i = 0; i < 2; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &rounds);
    }
    return finish();
}
