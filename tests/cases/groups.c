// Groups that outlive the cut: incl, excl, ranges, union, intersection, difference, and the empty one.
#include "testcase_mpi.h"

static void check_group(MPI_Group group, int count, const int *members) {
    MPI_Group world;
    int got, translated;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_size(group, &got);
    CHECK_EQUAL(got, count);
    for (int i = 0; i < count; ++i) {
        MPI_Group_translate_ranks(group, 1, &i, world, &translated);
        CHECK_EQUAL(translated, members[i]);
    }
    MPI_Group_free(&world);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "groups");
    MPI_Group world, last, rest, evens, backwards, both, common, minus;
    int end = size - 1;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_incl(world, 1, &end, &last);
    MPI_Group_excl(world, 1, &end, &rest);
    MPI_Group_range_incl(world, 1, (int[1][3]){{0, end, 2}}, &evens);
    MPI_Group_range_incl(world, 1, (int[1][3]){{end, 0, -1}}, &backwards);
    MPI_Group_union(last, evens, &both);
    MPI_Group_intersection(rest, evens, &common);
    MPI_Group_difference(world, evens, &minus);
    ready();
    wait_for_go();

    int list[64], count = 0, mine;
    CHECK(size <= 64);
    check_group(last, 1, &end);
    for (int r = 0; r < size; ++r) list[r] = r;
    check_group(world, size, list);
    check_group(rest, size - 1, list);
    for (int r = 0; r < size; ++r) list[r] = end - r;
    check_group(backwards, size, list);
    for (int r = 0; r < size; r += 2) list[count++] = r;
    check_group(evens, count, list);
    check_group(common, size % 2 ? count - 1 : count, list);
    list[0] = end;
    count = 1;
    for (int r = 0; r < size; r += 2)
        if (r != end) list[count++] = r;
    check_group(both, count, list);
    count = 0;
    for (int r = 1; r < size; r += 2) list[count++] = r;
    check_group(minus, count, list);
    MPI_Group_rank(rest, &mine);
    CHECK_EQUAL(mine, rank == end ? MPI_UNDEFINED : rank);

    MPI_Comm comm;
    MPI_Comm_create(MPI_COMM_WORLD, backwards, &comm);
    check_comm(comm, size);
    MPI_Comm_rank(comm, &mine);
    CHECK_EQUAL(mine, end - rank);
    return finish();
}
