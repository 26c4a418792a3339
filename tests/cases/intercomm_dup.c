// What is made from an intercommunicator: duplicates with attributes, parts by colour and by group, names (MPI-3.1,
// 6.4.2 and 6.6).
#include <string.h>

#include "two_groups.h"

static int copy(MPI_Comm comm, int key, void *extra, void *value, void *out, int *flag) {
    (void)comm, (void)key, (void)extra;
    *(void **)out = (char *)value + 1;
    *flag = 1;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "intercomm_dup");
    static char place[4];
    MPI_Comm half, inter = between_sides(&half), twin, parts, first, later;
    MPI_Group group, one;
    int key, found, length;
    void *value;
    char name[MPI_MAX_OBJECT_NAME];
    MPI_Comm_create_keyval(copy, MPI_COMM_NULL_DELETE_FN, &key, NULL);
    MPI_Comm_set_attr(inter, key, place);
    MPI_Comm_dup(inter, &twin);
    MPI_Comm_set_name(twin, side ? "seen by odd" : "seen by even");
    // Pairs of one of each side; who has nobody opposite gets none.
    MPI_Comm_split(inter, mine, 0, &parts);
    MPI_Comm_group(inter, &group);
    MPI_Group_incl(group, 1, (int[]){0}, &one);
    MPI_Comm_create(inter, one, &first);
    ready();
    wait_for_go();

    check_inter(inter);
    check_inter(twin);
    MPI_Comm_get_attr(twin, key, &value, &found);
    CHECK(found && value == place + 1);
    MPI_Comm_get_name(twin, name, &length);
    CHECK(strcmp(name, side ? "seen by odd" : "seen by even") == 0);
    CHECK_EQUAL(parts == MPI_COMM_NULL, mine >= others);
    if (parts != MPI_COMM_NULL) {
        int got = -1, remote;
        MPI_Comm_remote_size(parts, &remote);
        CHECK_EQUAL(remote, 1);
        MPI_Allreduce(&rank, &got, 1, MPI_INT, MPI_SUM, parts);
        CHECK_EQUAL(got, rank ^ 1);
    }
    CHECK_EQUAL(first == MPI_COMM_NULL, mine != 0);
    if (first != MPI_COMM_NULL) {
        int got = -1;
        MPI_Sendrecv(&rank, 1, MPI_INT, 0, 1, &got, 1, MPI_INT, 0, 1, first, MPI_STATUS_IGNORE);
        CHECK_EQUAL(got, 1 - side);
    }
    // Equal source and tag on another one do not match.
    MPI_Request requests[2];
    int on_inter = -1, on_twin = -1, sent = 10 * rank;
    if (mine < others) {
        MPI_Irecv(&on_inter, 1, MPI_INT, mine, 1, inter, &requests[0]);
        MPI_Irecv(&on_twin, 1, MPI_INT, mine, 1, twin, &requests[1]);
        MPI_Send(&rank, 1, MPI_INT, mine, 1, twin);
        MPI_Send(&sent, 1, MPI_INT, mine, 1, inter);
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
        CHECK_EQUAL(on_twin, other_world(mine));
        CHECK_EQUAL(on_inter, 10 * other_world(mine));
    }
    MPI_Comm_dup(twin, &later);
    check_inter(later);
    MPI_Comm_get_attr(later, key, &value, &found);
    CHECK(found && value == place + 2);
    MPI_Comm_free(&later);
    MPI_Comm_free(&twin);
    MPI_Comm_free(&inter);
    MPI_Group_free(&one);
    MPI_Group_free(&group);
    return finish();
}
