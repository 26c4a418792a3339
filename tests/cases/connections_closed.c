// Once all connections to other processes are closed a job is checkpointed as any other: after MPI_Comm_spawn,
// MPI_Comm_spawn_multiple, a port under a published name, MPI_Comm_join over a socket.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "testcase_mpi.h"

static int child(MPI_Comm parent) {
    int mine;
    MPI_Comm_rank(MPI_COMM_WORLD, &mine);
    MPI_Send(&mine, 1, MPI_INT, 0, 1, parent);
    MPI_Comm_disconnect(&parent);
    MPI_Finalize();
    return 0;
}

static void hear_children(MPI_Comm *children) {
    int count, number;
    MPI_Comm_remote_size(*children, &count);
    if (rank == 0)
        for (int i = 0; i < count; ++i) {
            MPI_Recv(&number, 1, MPI_INT, i, 1, *children, MPI_STATUS_IGNORE);
            CHECK_EQUAL(number, i);
        }
    MPI_Comm_disconnect(children);
    CHECK(*children == MPI_COMM_NULL);
}

// Ranks 0 and 1 over a socket of their own.
static void join_over_socket(void) {
    if (rank > 1) return;
    struct sockaddr_un address = {AF_UNIX, {0}};
    int listener = -1, connected = -1, got = -1;
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "sckpt-case-%d", (int)getppid());
    socklen_t length = sizeof address;
    if (rank == 0) {
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
        MPI_Send(&address, sizeof address, MPI_BYTE, 1, 9, MPI_COMM_WORLD);
        connected = accept(listener, NULL, NULL);
    } else {
        MPI_Recv(&address, sizeof address, MPI_BYTE, 0, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        connected = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect(connected, (struct sockaddr *)&address, length) == 0);
    }
    CHECK(connected >= 0);
    MPI_Comm joined;
    CHECK(MPI_Comm_join(connected, &joined) == MPI_SUCCESS);
    MPI_Sendrecv(&rank, 1, MPI_INT, 0, 2, &got, 1, MPI_INT, 0, 2, joined, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, 1 - rank);
    MPI_Comm_disconnect(&joined);
    close(connected);
    if (listener >= 0) close(listener);
}

static void meet_by_name(void) {
    char port[MPI_MAX_PORT_NAME], found[MPI_MAX_PORT_NAME];
    MPI_Comm inter;
    if (size == 1) return;
    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    if (rank == 0) {
        MPI_Open_port(MPI_INFO_NULL, port);
        CHECK(MPI_Publish_name("sckpt case", MPI_INFO_NULL, port) == MPI_SUCCESS);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank % 2 == 0) {
        MPI_Comm_accept(port, MPI_INFO_NULL, 0, half, &inter);
    } else {
        CHECK(MPI_Lookup_name("sckpt case", MPI_INFO_NULL, found) == MPI_SUCCESS);
        MPI_Comm_connect(found, MPI_INFO_NULL, 0, half, &inter);
    }
    int others;
    MPI_Comm_remote_size(inter, &others);
    CHECK_EQUAL(others, rank % 2 ? size - size / 2 : size / 2);
    MPI_Comm_disconnect(&inter);
    if (rank == 0) {
        MPI_Unpublish_name("sckpt case", MPI_INFO_NULL, port);
        MPI_Close_port(port);
    }
    MPI_Comm_free(&half);
}

int main(int argc, char **argv) {
    MPI_Comm parent, children;
    MPI_Init(&argc, &argv);
    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL) return child(parent);
    begin("connections_closed");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_spawn(argv[0], MPI_ARGV_NULL, 2, MPI_INFO_NULL, 0, MPI_COMM_WORLD, &children, MPI_ERRCODES_IGNORE);
    hear_children(&children);
    char *programs[2] = {argv[0], argv[0]};
    MPI_Comm_spawn_multiple(2, programs, MPI_ARGVS_NULL, (int[]){1, 2}, (MPI_Info[]){MPI_INFO_NULL, MPI_INFO_NULL}, 0,
                            MPI_COMM_WORLD, &children, MPI_ERRCODES_IGNORE);
    hear_children(&children);
    if (size > 1) join_over_socket();
    meet_by_name();
    ready();
    wait_for_go();

    MPI_Comm_get_parent(&parent);
    CHECK(parent == MPI_COMM_NULL);
    return finish();
}
