// A message that is longer than the receive posted for it is still an error after it was drained, not silence.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "truncation_after_drain");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    char out[64], in[64];
    MPI_Request requests[2];
    fill(out, sizeof out, rank);
    MPI_Isend(out, 64, MPI_CHAR, right, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(out, 32, MPI_CHAR, right, 1, MPI_COMM_WORLD, &requests[1]);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    ready();
    wait_for_go();

    MPI_Status status;
    int code = MPI_Recv(in, 16, MPI_CHAR, left, 1, MPI_COMM_WORLD, &status), kind, count;
    CHECK(code != MPI_SUCCESS);
    MPI_Error_class(code, &kind);
    CHECK_EQUAL(kind, MPI_ERR_TRUNCATE);
    CHECK_EQUAL(MPI_Recv(in, 64, MPI_CHAR, left, 1, MPI_COMM_WORLD, &status), MPI_SUCCESS);
    MPI_Get_count(&status, MPI_CHAR, &count);
    CHECK_EQUAL(count, 32);
    expect(in, 32, left, "the message after the truncated one");
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    return finish();
}
