// Generalized requests over the cut: pending, completed and not waited for, cancelled, freed before their end; each in
// mixtures with other requests (MPI-3.1, 12.2).
#include <string.h>

#include "testcase_mpi.h"

enum { kPending, kCompleted, kCancelled, kFreed, kAll };

struct State {
    int number, queries, frees, cancels;
};
static struct State states[kAll];

static int query(void *extra, MPI_Status *status) {
    struct State *state = extra;
    ++state->queries;
    MPI_Status_set_elements(status, MPI_INT, 3 + state->number);
    MPI_Status_set_cancelled(status, state->cancels > 0);
    status->MPI_SOURCE = 40 + state->number;
    status->MPI_TAG = 50 + state->number;
    return MPI_SUCCESS;
}

static int free_state(void *extra) {
    ++((struct State *)extra)->frees;
    return MPI_SUCCESS;
}

static int cancel(void *extra, int complete) {
    CHECK_EQUAL(complete, 0);
    ++((struct State *)extra)->cancels;
    return MPI_SUCCESS;
}

static void check_status(int number, MPI_Status *status, int cancelled) {
    int elements = 0, flag = -1;
    MPI_Get_elements(status, MPI_INT, &elements);
    MPI_Test_cancelled(status, &flag);
    CHECK_EQUAL(elements, 3 + number);
    CHECK_EQUAL(flag, cancelled);
    CHECK_EQUAL(status->MPI_SOURCE, 40 + number);
    CHECK_EQUAL(status->MPI_TAG, 50 + number);
    CHECK_EQUAL(states[number].frees, 1);
}

int main(int argc, char **argv) {
    MPI_Request requests[kAll], freed, two[2];
    MPI_Status status, statuses[2];
    int flag = -1, in = -1, out, index;

    start(&argc, &argv, "grequest");
    for (int i = 0; i < kAll; ++i) {
        states[i] = (struct State){i, 0, 0, 0};
        MPI_Grequest_start(query, free_state, cancel, &states[i], &requests[i]);
    }
    MPI_Grequest_complete(requests[kCompleted]);
    MPI_Cancel(&requests[kCancelled]);
    freed = requests[kFreed];
    MPI_Request_free(&requests[kFreed]);
    CHECK(requests[kFreed] == MPI_REQUEST_NULL);
    MPI_Irecv(&in, 1, MPI_INT, (rank + size - 1) % size, 5, MPI_COMM_WORLD, &two[1]);

    ready();
    wait_for_go();

    MPI_Test(&requests[kPending], &flag, MPI_STATUS_IGNORE);
    CHECK_EQUAL(flag, 0);
    CHECK_EQUAL(states[kPending].frees, 0);
    CHECK_EQUAL(states[kCompleted].frees, 0);
    MPI_Wait(&requests[kCompleted], &status);
    check_status(kCompleted, &status, 0);
    CHECK(requests[kCompleted] == MPI_REQUEST_NULL);

    CHECK_EQUAL(states[kCancelled].cancels, 1);
    MPI_Grequest_complete(requests[kCancelled]);
    MPI_Waitany(1, &requests[kCancelled], &index, &status);
    check_status(kCancelled, &status, 1);

    CHECK_EQUAL(states[kFreed].frees, 0);
    MPI_Grequest_complete(freed);
    CHECK_EQUAL(states[kFreed].frees, 1);

    out = 100 + rank;
    MPI_Send(&out, 1, MPI_INT, (rank + 1) % size, 5, MPI_COMM_WORLD);
    two[0] = requests[kPending];
    MPI_Grequest_complete(two[0]);
    MPI_Waitall(2, two, statuses);
    check_status(kPending, &statuses[0], 0);
    CHECK_EQUAL(in, 100 + (rank + size - 1) % size);
    return finish();
}
