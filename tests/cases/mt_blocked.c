// Threads of one rank are inside MPI at the request, each blocked in a call of another kind, while one more computes and
// the main thread waits for them outside MPI (MPI_THREAD_MULTIPLE; MPI-3.1, 12.4).
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>

#include "testcase_mpi.h"

enum Kind { kRecv, kSsend, kWait, kProbe, kMprobe, kWaitany, kWaitsome, kWaitall, kSendrecv, kCollective, kBlocked, kComputes = kBlocked, kAll };

struct Work {
    enum Kind kind;
    MPI_Comm comm;
    long turns;
};
static struct Work works[kAll];
static MPI_Comm answers;
static atomic_bool over;

// Blocks until the main thread of the rank to the left, or of this rank, comes after the checkpoint.
static void block(struct Work *work) {
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    int got[2] = {-1, -1}, told = rank, index = -1, count = 0, indices[2];
    MPI_Request requests[2];
    MPI_Status status, statuses[2];
    MPI_Message message;
    switch (work->kind) {
        case kRecv:
            MPI_Recv(got, 1, MPI_INT, left, 1, work->comm, &status);
            CHECK_EQUAL(status.MPI_SOURCE, left);
            break;
        case kSsend:
            MPI_Ssend(&told, 1, MPI_INT, right, 2, work->comm);
            got[0] = left;
            break;
        case kWait:
            MPI_Irecv(got, 1, MPI_INT, MPI_ANY_SOURCE, 1, work->comm, requests);
            MPI_Wait(requests, &status);
            CHECK_EQUAL(status.MPI_SOURCE, left);
            break;
        case kProbe:
            MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, work->comm, &status);
            CHECK_EQUAL(status.MPI_SOURCE, left);
            MPI_Recv(got, 1, MPI_INT, left, 1, work->comm, MPI_STATUS_IGNORE);
            break;
        case kMprobe:
            MPI_Mprobe(left, MPI_ANY_TAG, work->comm, &message, &status);
            MPI_Mrecv(got, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
            break;
        case kWaitany:
            MPI_Irecv(&got[1], 1, MPI_INT, left, 9, work->comm, &requests[0]);
            MPI_Irecv(got, 1, MPI_INT, left, 1, work->comm, &requests[1]);
            MPI_Waitany(2, requests, &index, &status);
            CHECK_EQUAL(index, 1);
            MPI_Cancel(&requests[0]);
            MPI_Wait(&requests[0], &status);
            break;
        case kWaitsome:
            requests[0] = MPI_REQUEST_NULL;
            MPI_Irecv(got, 1, MPI_INT, left, 1, work->comm, &requests[1]);
            MPI_Waitsome(2, requests, &count, indices, statuses);
            CHECK_EQUAL(count, 1);
            CHECK_EQUAL(indices[0], 1);
            break;
        case kWaitall:
            MPI_Irecv(&got[1], 1, MPI_INT, left, 1, work->comm, &requests[1]);
            MPI_Irecv(&got[0], 1, MPI_INT, left, 1, work->comm, &requests[0]);
            MPI_Waitall(2, requests, statuses);
            CHECK_EQUAL(got[1], left);
            break;
        case kSendrecv:
            MPI_Sendrecv(&told, 1, MPI_INT, MPI_PROC_NULL, 1, got, 1, MPI_INT, left, 1, work->comm, &status);
            break;
        case kCollective: { /* a request of one: blocked in MPI, but not deaf */
            int sum = 0;
            MPI_Iallreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, work->comm, requests);
            MPI_Wait(requests, MPI_STATUS_IGNORE);
            MPI_Recv(got, 1, MPI_INT, left, 1, work->comm, &status);
            CHECK_EQUAL(sum, size * (size - 1) / 2);
            break;
        }
        default:
            fail("nothing else blocks");
    }
    CHECK_EQUAL(got[0], left);
    MPI_Send(&work->kind, 1, MPI_INT, rank, (int)work->kind, answers);
}

static void *live(void *argument) {
    struct Work *work = argument;
    char name[16] = "app-x";
    name[4] = (char)('a' + work->kind);
    pthread_setname_np(pthread_self(), name);
    if (work->kind != kComputes) {
        block(work);
        return work;
    }
    uint64_t once = 1, again = 1;
    while (!over) {
        for (int i = 0; i < 100000; ++i) once = mix(once);
        for (int i = 0; i < 100000; ++i) again = mix(again);
        CHECK(once == again);
        ++work->turns;
    }
    return work;
}

int main(int argc, char **argv) {
    int provided;
    pthread_t threads[kAll];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    begin("mt_blocked");
    CHECK_EQUAL(provided, MPI_THREAD_MULTIPLE);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_dup(MPI_COMM_WORLD, &answers);
    for (int i = 0; i < kAll; ++i) {
        works[i].kind = (enum Kind)i;
        MPI_Comm_dup(MPI_COMM_WORLD, &works[i].comm);
    }
    for (int i = 0; i < kAll; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, live, &works[i]), 0);
    ready();
    wait_for_go();

    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    for (int i = 0; i < kBlocked; ++i) {
        int got = -1, kind;
        if (i == kSsend) {
            MPI_Recv(&got, 1, MPI_INT, left, 2, works[i].comm, MPI_STATUS_IGNORE);
            CHECK_EQUAL(got, left);
        } else {
            MPI_Send(&rank, 1, MPI_INT, right, 1, works[i].comm);
            if (i == kWaitall) MPI_Send(&rank, 1, MPI_INT, right, 1, works[i].comm);
        }
        MPI_Recv(&kind, 1, MPI_INT, rank, i, answers, MPI_STATUS_IGNORE);
        CHECK_EQUAL(kind, i);
    }
    over = true;
    for (int i = 0; i < kAll; ++i) {
        void *result;
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK(result == &works[i]);
        MPI_Comm_free(&works[i].comm);
    }
    CHECK(works[kComputes].turns > 0);
    MPI_Comm_free(&answers);
    return finish();
}
