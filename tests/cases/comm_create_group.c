// MPI_Comm_create_group, which only the members call: even and odd ranks make theirs at different times, members
// reversed.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_create_group");
    MPI_Group world, mine;
    MPI_Comm comm, extra = MPI_COMM_NULL;
    int members[64], count = 0;
    CHECK(size <= 64);
    for (int r = size - 1; r >= 0; --r)
        if (r % 2 == rank % 2) members[count++] = r;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_incl(world, count, members, &mine);
    MPI_Comm_create_group(MPI_COMM_WORLD, mine, 7, &comm);
    // Even ranks have one communicator more than odd ones: creation is not in step over the world.
    if (rank % 2 == 0) MPI_Comm_create_group(MPI_COMM_WORLD, mine, 8, &extra);
    ready();
    wait_for_go();

    int position;
    check_comm(comm, count);
    MPI_Comm_rank(comm, &position);
    CHECK_EQUAL(members[position], rank);
    if (rank % 2 == 0) check_comm(extra, count);
    int relation;
    MPI_Group group;
    MPI_Comm_group(comm, &group);
    MPI_Group_compare(group, mine, &relation);
    CHECK_EQUAL(relation, MPI_IDENT);
    return finish();
}
