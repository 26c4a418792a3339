// MPI_COMM_WORLD and MPI_COMM_SELF keep rank, size and the ability to communicate.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_world_self");
    ready();
    wait_for_go();

    int now, count, left = (rank + size - 1) % size, got = -1;
    MPI_Comm_rank(MPI_COMM_WORLD, &now);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    CHECK_EQUAL(now, rank);
    CHECK_EQUAL(count, size);
    MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, 5, &got, 1, MPI_INT, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, left);
    MPI_Sendrecv(&rank, 1, MPI_INT, 0, 6, &got, 1, MPI_INT, 0, 6, MPI_COMM_SELF, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, rank);
    check_comm(MPI_COMM_SELF, 1);
    return finish();
}
