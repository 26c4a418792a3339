// Polling with MPI_Iprobe: one message is there all the time and must be seen each time, another one never.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "iprobe_loop");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, found = 0, value = rank * 5;
    MPI_Request request;
    MPI_Status status;
    MPI_Isend(&value, 1, MPI_INT, right, 11, MPI_COMM_WORLD, &request);
    while (!found) MPI_Iprobe(left, 11, MPI_COMM_WORLD, &found, &status);
    ready();
    while (still_waiting()) {
        int count;
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &status);
        if (!found) fail("a message that was seen is no longer there");
        MPI_Get_count(&status, MPI_INT, &count);
        CHECK_EQUAL(status.MPI_SOURCE, left);
        CHECK_EQUAL(status.MPI_TAG, 11);
        CHECK_EQUAL(count, 1);
        MPI_Iprobe(left, 12, MPI_COMM_WORLD, &found, &status);
        if (found) fail("a message was seen that nobody has sent");
    }
    MPI_Recv(&value, 1, MPI_INT, left, 11, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK_EQUAL(value, left * 5);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return finish();
}
