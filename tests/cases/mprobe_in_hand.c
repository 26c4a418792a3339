// A message matched by MPI_Mprobe before the cut is received after it, although a younger one with the same tag came.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "mprobe_in_hand");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    long first[100], second[100], got[100];
    MPI_Request requests[2];
    MPI_Message message;
    MPI_Status status;
    fill(first, sizeof first, 2 * rank);
    fill(second, sizeof second, 2 * rank + 1);
    MPI_Isend(first, 100, MPI_LONG, right, 3, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(second, 100, MPI_LONG, right, 3, MPI_COMM_WORLD, &requests[1]);
    MPI_Mprobe(left, 3, MPI_COMM_WORLD, &message, &status);
    ready();
    wait_for_go();

    int count;
    MPI_Recv(got, 100, MPI_LONG, left, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    expect(got, sizeof got, 2 * left + 1, "the second message");
    MPI_Mrecv(got, 100, MPI_LONG, &message, &status);
    MPI_Get_count(&status, MPI_LONG, &count);
    CHECK_EQUAL(count, 100);
    CHECK_EQUAL(status.MPI_SOURCE, left);
    expect(got, sizeof got, 2 * left, "the message in hand");
    CHECK(message == MPI_MESSAGE_NULL);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    return finish();
}
