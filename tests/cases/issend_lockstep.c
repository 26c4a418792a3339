// Synchronous sends all the time, among standard ones, with cuts at any moment: none completes before the step in which
// its message is received, each does in it.  One message of each three steps stays behind until the next is sent.
#include "testcase_mpi.h"

enum { kSends = 6, kLate = 7 };

static int tag_of(int value) { return (int)(mix(value) >> 8 & 1); }

static void pending(int count, MPI_Request *requests) {
    for (int i = 0; i < count; ++i) {
        int done = 0;
        if (requests[i] != MPI_REQUEST_NULL) MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE);
        if (done) fail("a synchronous send completed although nobody has received it");
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "issend_lockstep");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, late[2] = {0, 0}, got;
    MPI_Request late_request[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    bool announced = false;
    for (int step = 0, lates = 0; !announced || all_still_waiting(MPI_COMM_WORLD); ++step) {
        int value[kSends], synchronous = 0, standard = 0;
        MPI_Request sync_requests[kSends], standard_requests[kSends];
        if (step % 3 == 0) {
            late[lates % 2] = step;
            MPI_Issend(&late[lates % 2], 1, MPI_INT, right, kLate, MPI_COMM_WORLD, &late_request[lates % 2]);
            ++lates;
            MPI_Barrier(MPI_COMM_WORLD);
            if (lates > 1) {
                MPI_Recv(&got, 1, MPI_INT, left, kLate, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
                CHECK_EQUAL(got, step - 3);
                MPI_Wait(&late_request[lates % 2], MPI_STATUS_IGNORE);
            }
        }
        for (int i = 0; i < kSends; ++i) {
            value[i] = 1000 * step + i;
            const int tag = tag_of(value[i]);
            if (mix(value[i]) % 2)
                MPI_Issend(&value[i], 1, MPI_INT, right, tag, MPI_COMM_WORLD, &sync_requests[synchronous++]);
            else
                MPI_Isend(&value[i], 1, MPI_INT, right, tag, MPI_COMM_WORLD, &standard_requests[standard++]);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        if (!announced) ready();
        announced = true;
        pending(synchronous, sync_requests);
        nap();
        pending(synchronous, sync_requests);
        pending(2, late_request);
        MPI_Barrier(MPI_COMM_WORLD);
        for (int i = 0; i < kSends; ++i) {
            const int wanted = 1000 * step + i;
            MPI_Recv(&got, 1, MPI_INT, left, tag_of(wanted), MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(got, wanted);
        }
        MPI_Waitall(synchronous, sync_requests, MPI_STATUSES_IGNORE);
        MPI_Waitall(standard, standard_requests, MPI_STATUSES_IGNORE);
    }
    MPI_Recv(&got, 1, MPI_INT, left, kLate, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Waitall(2, late_request, MPI_STATUSES_IGNORE);
    return finish();
}
