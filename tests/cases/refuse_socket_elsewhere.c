// A TCP connection to another process cannot come back: the checkpoint is declined with the descriptor and the peer's
// name.  The ranks are each other's peers; the connection works on.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_socket_elsewhere");
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), other = rank ^ 1;
    if (rank % 2 == 0) {
        int listener = fd;
        CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQUAL(listen(listener, 1), 0);
        CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &length), 0);
        MPI_Send(&address, sizeof address, MPI_BYTE, other, 0, MPI_COMM_WORLD);
        fd = accept(listener, NULL, NULL);
        close(listener);
    } else {
        MPI_Recv(&address, sizeof address, MPI_BYTE, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    }
    ready();
    wait_for_go();

    int got = -1;
    CHECK_EQUAL(send(fd, &rank, sizeof rank, 0), sizeof rank);
    CHECK_EQUAL(recv(fd, &got, sizeof got, 0), sizeof got);
    CHECK_EQUAL(got, other);
    return finish();
}
