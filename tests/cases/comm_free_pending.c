// MPI_Comm_free with requests on the communicator (MPI-3.1, 6.4.3: they complete all the same): one whose message is on
// its way, one that nobody will answer, and on some members only.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_free_pending");
    MPI_Comm comm;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    int left = (rank + size - 1) % size, right = (rank + 1) % size, in = -1, never = -1, out = rank + 7;
    MPI_Request receive, send, unanswered = MPI_REQUEST_NULL;
    MPI_Irecv(&in, 1, MPI_INT, left, 1, comm, &receive);
    if (rank == 0) MPI_Irecv(&never, 1, MPI_INT, right, 2, comm, &unanswered);
    MPI_Isend(&out, 1, MPI_INT, right, 1, comm, &send);
    MPI_Comm_free(&comm);
    CHECK(comm == MPI_COMM_NULL);
    ready();
    wait_for_go();

    MPI_Status status;
    MPI_Wait(&receive, &status);
    CHECK_EQUAL(in, left + 7);
    CHECK_EQUAL(status.MPI_SOURCE, left);
    MPI_Wait(&send, MPI_STATUS_IGNORE);
    if (rank == 0) {
        int done = 1, cancelled = 0;
        MPI_Test(&unanswered, &done, MPI_STATUS_IGNORE);
        CHECK_EQUAL(done, 0);
        MPI_Cancel(&unanswered);
        MPI_Wait(&unanswered, &status);
        MPI_Test_cancelled(&status, &cancelled);
        CHECK_EQUAL(cancelled, 1);
        CHECK_EQUAL(never, -1);
    }
    return finish();
}
