// Even ranks have entered a non-blocking barrier, odd ones enter after the cut; it must not complete before.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "ibarrier_pending");
    MPI_Request request = MPI_REQUEST_NULL;
    if (rank % 2 == 0) MPI_Ibarrier(MPI_COMM_WORLD, &request);
    ready();
    while (still_waiting()) {
        int done = 0;
        if (rank % 2 == 0) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        // An odd rank that has seen the go may have entered already.
        if (done && still_waiting()) fail("the barrier completed before all had entered");
        if (done) break;
        nap();
    }
    if (rank % 2) MPI_Ibarrier(MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(request == MPI_REQUEST_NULL);
    return finish();
}
