// A duplicate of the world stays a context of its own: equal source and tag do not match across the two.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_dup");
    MPI_Comm twin, twin_of_twin;
    MPI_Comm_dup(MPI_COMM_WORLD, &twin);
    MPI_Comm_dup(twin, &twin_of_twin);
    ready();
    wait_for_go();

    MPI_Comm comms[3] = {MPI_COMM_WORLD, twin, twin_of_twin};
    MPI_Request requests[6];
    int sent[3], got[3];
    for (int i = 0; i < 3; ++i) {
        sent[i] = 10 * rank + i;
        MPI_Irecv(&got[i], 1, MPI_INT, (rank + size - 1) % size, 1, comms[i], &requests[i]);
    }
    for (int i = 2; i >= 0; --i) MPI_Isend(&sent[i], 1, MPI_INT, (rank + 1) % size, 1, comms[i], &requests[3 + i]);
    MPI_Waitall(6, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < 3; ++i) CHECK_EQUAL(got[i], 10 * ((rank + size - 1) % size) + i);
    check_comm(twin_of_twin, size);
    MPI_Comm_free(&twin_of_twin);
    check_comm(twin, size);
    MPI_Comm_free(&twin);
    CHECK(twin == MPI_COMM_NULL);
    return finish();
}
