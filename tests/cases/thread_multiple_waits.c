// Two threads a rank: one receives from anybody and serves, the other asks a rank for something, waits for its answer and
// enters a collective on the way (MPI_THREAD_MULTIPLE).  Of a rank that has to go on for others, both threads wait in
// point-to-point, for different ranks; and most of the time nobody will send to the serving one (MPI-3.1, 12.4.3).
#define _GNU_SOURCE
#include <pthread.h>

#include "testcase_mpi.h"

enum { kQuestion = 1, kEnd = 2 };

static MPI_Comm questions, answers;
static long served;

static void *serve(void *nothing) {
    for (;;) {
        long value = -1;
        MPI_Status status;
        MPI_Recv(&value, 1, MPI_LONG, MPI_ANY_SOURCE, MPI_ANY_TAG, questions, &status);
        if (status.MPI_TAG == kEnd) return nothing;
        value = value * 3 + rank;
        MPI_Send(&value, 1, MPI_LONG, status.MPI_SOURCE, kQuestion, answers);
        ++served;
    }
}

// By a wait that blocks, and by tests.
static long answer_of(int server, long question, bool test) {
    long answer = -1;
    int done = 0;
    MPI_Request request;
    MPI_Irecv(&answer, 1, MPI_LONG, server, kQuestion, answers, &request);
    MPI_Send(&question, 1, MPI_LONG, server, kQuestion, questions);
    while (test && !done) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (!test) MPI_Wait(&request, MPI_STATUS_IGNORE);
    return answer;
}

int main(int argc, char **argv) {
    int provided, end = 0;
    long rounds = 0;
    MPI_Comm work, half;
    pthread_t server;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("thread_multiple_waits");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_dup(MPI_COMM_WORLD, &questions);
    MPI_Comm_dup(MPI_COMM_WORLD, &answers);
    MPI_Comm_dup(MPI_COMM_WORLD, &work);
    MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &half);
    CHECK_EQUAL(pthread_create(&server, NULL, serve, &served), 0);
    ready();
    while (all_still_waiting(work)) {
        for (int i = 0; i < 8; ++i, ++rounds) {
            const int asked = (rank + 1 + i) % size;
            CHECK_EQUAL(answer_of(asked, rounds, i % 2), rounds * 3 + asked);
            long sum = 0;
            if (i % 4 == rank % 4) MPI_Barrier(MPI_COMM_SELF);
            MPI_Allreduce(&rounds, &sum, 1, MPI_LONG, MPI_MAX, half);
            CHECK_EQUAL(sum, rounds);
        }
    }
    MPI_Barrier(work);
    MPI_Send(&end, 0, MPI_LONG, rank, kEnd, questions);
    void *result;
    CHECK_EQUAL(pthread_join(server, &result), 0);
    CHECK(result == &served);
    CHECK_EQUAL(served, rounds);
    return finish();
}
