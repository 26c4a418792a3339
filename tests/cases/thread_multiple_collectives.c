// Four threads a rank, each in a hot loop of blocking and non-blocking collectives on a communicator of its own
// (MPI_THREAD_MULTIPLE): while one becomes aware of the request, others are about to enter (MPI-3.1, 12.4.3).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

enum { kThreads = 4 };

struct Work {
    MPI_Comm comm;
    long rounds;
};

static void *work_on(void *argument) {
    struct Work *work = argument;
    while (all_still_waiting(work->comm)) {
        for (int i = 0; i < 20; ++i) {
            long value = work->rounds * 7 + i, sum = 0, root = rank == i % size ? value : -1;
            MPI_Request request;
            MPI_Allreduce(&value, &sum, 1, MPI_LONG, MPI_SUM, work->comm);
            CHECK_EQUAL(sum, size * value);
            MPI_Bcast(&root, 1, MPI_LONG, i % size, work->comm);
            CHECK_EQUAL(root, value);
            sum = 0;
            MPI_Iallreduce(&value, &sum, 1, MPI_LONG, MPI_MAX, work->comm, &request);
            MPI_Barrier(work->comm);
            MPI_Wait(&request, MPI_STATUS_IGNORE);
            CHECK_EQUAL(sum, value);
        }
        ++work->rounds;
    }
    return work;
}

int main(int argc, char **argv) {
    int provided;
    struct Work work[kThreads];
    pthread_t threads[kThreads];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("thread_multiple_collectives");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < kThreads; ++i) {
        work[i] = (struct Work){MPI_COMM_NULL, 0};
        MPI_Comm_dup(MPI_COMM_WORLD, &work[i].comm);
    }
    for (int i = 0; i < kThreads; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, work_on, &work[i]), 0);
    ready();
    for (int i = 0; i < kThreads; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &work[i]);
    }
    return finish();
}
