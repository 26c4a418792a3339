// Two threads a rank in MPI at the same time, each with a communicator of its own (MPI_THREAD_MULTIPLE).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

static long rounds[2];

struct Work {
    int number;
    MPI_Comm comm;
};

static void *talk(void *argument) {
    struct Work *work = argument;
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    pthread_setname_np(pthread_self(), work->number ? "app-1" : "app-0");
    while (all_still_waiting(work->comm)) {
        long out = rounds[work->number] * 10 + work->number, in = -1, sum = 0;
        MPI_Sendrecv(&out, 1, MPI_LONG, right, 1, &in, 1, MPI_LONG, left, 1, work->comm, MPI_STATUS_IGNORE);
        CHECK_EQUAL(in, out);
        MPI_Allreduce(&out, &sum, 1, MPI_LONG, MPI_SUM, work->comm);
        CHECK_EQUAL(sum, size * out);
        ++rounds[work->number];
    }
    return work;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("thread_multiple");
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct Work work[2] = {{0, MPI_COMM_NULL}, {1, MPI_COMM_NULL}};
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i) MPI_Comm_dup(MPI_COMM_WORLD, &work[i].comm);
    for (int i = 0; i < 2; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, talk, &work[i]), 0);
    ready();
    for (int i = 0; i < 2; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &work[i]);
    }
    MPI_Query_thread(&provided);
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    return finish();
}
