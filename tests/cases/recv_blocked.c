// Odd ranks are blocked in MPI_Recv at the cut; their partners send only after it.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "recv_blocked");
    char buffer[3000];
    int partner = rank ^ 1;
    ready();
    if (rank % 2) {
        MPI_Status status;
        int count;
        MPI_Recv(buffer, sizeof buffer, MPI_CHAR, partner, 9, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_CHAR, &count);
        CHECK_EQUAL(status.MPI_SOURCE, partner);
        CHECK_EQUAL(status.MPI_TAG, 9);
        CHECK_EQUAL(count, 2500);
        expect(buffer, 2500, partner, "the message");
    } else {
        wait_for_go();
        fill(buffer, 2500, rank);
        MPI_Send(buffer, 2500, MPI_CHAR, partner, 9, MPI_COMM_WORLD);
    }
    return finish();
}
