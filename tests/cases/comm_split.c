// MPI_Comm_split: several colours, reversed keys, and a rank that takes no part (MPI_UNDEFINED).
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_split");
    MPI_Comm parity, reversed, without_last, node;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &parity);
    MPI_Comm_split(MPI_COMM_WORLD, 0, size - rank, &reversed);
    MPI_Comm_split(MPI_COMM_WORLD, rank == size - 1 ? MPI_UNDEFINED : 3, 0, &without_last);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    ready();
    wait_for_go();

    int mine;
    check_comm(parity, (size + (rank % 2 == 0)) / 2);
    MPI_Comm_rank(parity, &mine);
    CHECK_EQUAL(mine, rank / 2);
    check_comm(reversed, size);
    MPI_Comm_rank(reversed, &mine);
    CHECK_EQUAL(mine, size - 1 - rank);
    if (rank == size - 1)
        CHECK(without_last == MPI_COMM_NULL);
    else
        check_comm(without_last, size - 1);
    check_comm(node, size);

    int first = rank;
    MPI_Bcast(&first, 1, MPI_INT, 0, reversed);
    CHECK_EQUAL(first, size - 1);
    MPI_Comm again;
    MPI_Comm_split(reversed, mine / 2, 0, &again);
    int count;
    MPI_Comm_size(again, &count);
    CHECK(count == 2 || (count == 1 && size % 2 == 1));
    return finish();
}
