// Communicators are made by groups that overlap, ranks arriving late, while the checkpoint comes: whoever is inside
// MPI_Comm_create_group then hears of nothing and must not wait for one that the checkpoint holds up (MPI-3.1, 6.4.2).
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_create_group_busy");
    MPI_Group world, pair, everybody;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    // Of each rank and rank 0, and of all.
    int members[2] = {0, rank}, round = 0;
    MPI_Group_incl(world, size, (int[]){0, 1, 2, 3, 4, 5, 6, 7}, &everybody);
    if (rank > 0) MPI_Group_incl(world, 2, members, &pair);
    ready();
    do {
        MPI_Comm made;
        if (rank == ++round % size) compute_a_while();
        if (rank == 0) {
            for (int other = size - 1; other > 0; --other) {
                MPI_Group of_two;
                MPI_Group_incl(world, 2, (int[]){0, other}, &of_two);
                MPI_Comm_create_group(MPI_COMM_WORLD, of_two, 5, &made);
                check_comm(made, 2);
                MPI_Comm_free(&made);
                MPI_Group_free(&of_two);
            }
        } else {
            MPI_Comm_create_group(MPI_COMM_WORLD, pair, 5, &made);
            check_comm(made, 2);
            MPI_Comm_free(&made);
        }
        MPI_Comm_create_group(MPI_COMM_WORLD, everybody, 6, &made);
        check_comm(made, size);
        MPI_Comm_free(&made);
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Group_free(&everybody);
    return finish();
}
