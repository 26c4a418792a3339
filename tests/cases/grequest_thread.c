// A thread waits for a generalized request that another one completes after the checkpoint (MPI_THREAD_MULTIPLE; MPI-3.1,
// 12.2 and 12.4).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

static MPI_Request request;
static int frees = 0;

static int query(void *extra, MPI_Status *status) {
    MPI_Status_set_elements(status, MPI_BYTE, *(int *)extra);
    MPI_Status_set_cancelled(status, 0);
    status->MPI_SOURCE = MPI_UNDEFINED;
    status->MPI_TAG = MPI_UNDEFINED;
    return MPI_SUCCESS;
}
static int free_nothing(void *extra) {
    CHECK_EQUAL(*(int *)extra, 77);
    ++frees;
    return MPI_SUCCESS;
}
static int cancel_nothing(void *extra, int complete) {
    (void)complete;
    return extra ? MPI_SUCCESS : MPI_ERR_OTHER;
}

static void *await(void *argument) {
    MPI_Status status;
    int count = 0;
    MPI_Wait(&request, &status);
    MPI_Get_count(&status, MPI_BYTE, &count);
    CHECK_EQUAL(count, 77);
    return argument;
}

int main(int argc, char **argv) {
    int provided, extra = 77;
    pthread_t waiter;
    void *result;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("grequest_thread");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Grequest_start(query, free_nothing, cancel_nothing, &extra, &request);
    CHECK_EQUAL(pthread_create(&waiter, NULL, await, &extra), 0);
    ready();
    wait_for_go();
    CHECK_EQUAL(frees, 0);
    MPI_Grequest_complete(request);
    CHECK_EQUAL(pthread_join(waiter, &result), 0);
    CHECK(result == &extra);
    CHECK_EQUAL(frees, 1);
    return finish();
}
