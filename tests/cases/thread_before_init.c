// A thread made before MPI_Init uses MPI afterwards: the lower libc has to know it, before and after a restart.
#include <pthread.h>
#include <stdatomic.h>

#include "testcase_mpi.h"

static atomic_int initialised, stop;
static atomic_long rounds;

static void *work(void *unused) {
    while (!initialised) sched_yield();
    while (!stop) {
        // Number formatting inside the lower half needs the lower libc's tables for this thread.
        char text[MPI_MAX_ERROR_STRING];
        int length, value = (int)rounds, back = -1;
        MPI_Error_string(MPI_ERR_TRUNCATE, text, &length);
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 5, &back, 1, MPI_INT, 0, 5, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        CHECK_EQUAL(back, value);
        ++rounds;
    }
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("thread_before_init");
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    initialised = 1;
    while (rounds < 10) sched_yield();
    ready();
    wait_for_go();
    long seen = rounds;
    while (rounds < seen + 10) sched_yield();
    stop = 1;
    pthread_join(thread, NULL);
    return finish();
}
