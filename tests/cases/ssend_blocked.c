// Odd ranks are blocked in MPI_Ssend, and must stay so until the receive, which is posted after the cut.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "ssend_blocked");
    int value = 4711 + rank, partner = rank ^ 1;
    ready();
    if (rank % 2) {
        MPI_Ssend(&value, 1, MPI_INT, partner, 2, MPI_COMM_WORLD);
        if (still_waiting()) fail("MPI_Ssend returned before the message was received");
    } else {
        wait_for_go();
        MPI_Recv(&value, 1, MPI_INT, partner, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(value, 4711 + partner);
    }
    return finish();
}
