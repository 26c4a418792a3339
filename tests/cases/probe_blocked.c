// Odd ranks are blocked in MPI_Probe at the cut, with wildcards.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "probe_blocked");
    int partner = rank ^ 1;
    double data[10];
    ready();
    if (rank % 2) {
        MPI_Status status;
        int count;
        MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        CHECK_EQUAL(status.MPI_SOURCE, partner);
        CHECK_EQUAL(status.MPI_TAG, 17);
        MPI_Get_count(&status, MPI_DOUBLE, &count);
        CHECK_EQUAL(count, 10);
        MPI_Recv(data, count, MPI_DOUBLE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        expect(data, sizeof data, partner, "the probed message");
    } else {
        wait_for_go();
        fill(data, sizeof data, rank);
        MPI_Send(data, 10, MPI_DOUBLE, partner, 17, MPI_COMM_WORLD);
    }
    return finish();
}
