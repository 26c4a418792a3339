// Socket pairs of every type: what is unread stays in them, with the borders of datagrams and their order; half-closed
// and abandoned ends stay so; flags and options are kept; a shared description is still shared.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "socket_pairs");
    int stream[2], datagram[2], packets[2], half[2], left[2];
    char data[20000], got[20000];
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packets), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, half), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, left), 0);
    int again = dup(stream[0]), value = 60000;
    socklen_t length = sizeof value;
    fill(data, sizeof data, rank);
    // Both directions, in several sends.
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(write(stream[0], data + i * 5000, 5000), 5000);
    CHECK_EQUAL(write(stream[1], data, 7), 7);
    CHECK_EQUAL(read(stream[1], got, 1000), 1000);
    for (int i = 1; i <= 5; ++i) CHECK_EQUAL(send(datagram[0], data, i * 100, 0), i * 100);
    CHECK_EQUAL(send(packets[1], data, 3000, 0), 3000);
    CHECK_EQUAL(send(packets[1], data + 1, 1, 0), 1);
    CHECK_EQUAL(write(half[0], "end", 3), 3);
    CHECK_EQUAL(shutdown(half[0], SHUT_WR), 0);
    CHECK_EQUAL(write(left[0], "testament", 9), 9);
    close(left[0]);
    CHECK_EQUAL(setsockopt(packets[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value), 0);
    CHECK_EQUAL(getsockopt(packets[0], SOL_SOCKET, SO_SNDBUF, &value, &length), 0);
    const int buffer = value;
    watch_descriptor(stream[0]);
    watch_descriptor(packets[1]);
    ready();
    wait_for_go();

    int have = 1000;
    for (long part; have < (int)sizeof got && (part = read(stream[1], got + have, sizeof got - have)) > 0;) have += part;
    CHECK_EQUAL(have, sizeof got);
    expect(got, sizeof got, rank, "what was in the stream");
    CHECK_EQUAL(read(stream[1], got, 1), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(read(again, got, 100), 7);
    CHECK_EQUAL(fcntl(again, F_SETFL, 0), 0);
    CHECK_EQUAL(fcntl(stream[0], F_GETFL) & O_NONBLOCK, 0);
    for (int i = 1; i <= 5; ++i) {
        CHECK_EQUAL(recv(datagram[1], got, sizeof got, 0), i * 100);
        expect(got, i * 100, rank, "a datagram");
    }
    CHECK_EQUAL(recv(datagram[1], got, sizeof got, MSG_DONTWAIT), -1);
    CHECK_EQUAL(recv(packets[0], got, sizeof got, 0), 3000);
    CHECK_EQUAL(recv(packets[0], got, sizeof got, 0), 1);
    CHECK_EQUAL(got[0], data[1]);
    CHECK_EQUAL(fcntl(packets[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(getsockopt(packets[0], SOL_SOCKET, SO_SNDBUF, &value, &length), 0);
    CHECK_EQUAL(value, buffer);
    CHECK_EQUAL(read(half[1], got, 100), 3);
    CHECK_EQUAL(read(half[1], got, 100), 0);
    CHECK_EQUAL(send(half[0], "x", 1, MSG_NOSIGNAL), -1);
    CHECK_EQUAL(errno, EPIPE);
    CHECK_EQUAL(write(half[1], "back", 4), 4);
    CHECK_EQUAL(read(half[0], got, 100), 4);
    CHECK_EQUAL(read(left[1], got, 100), 9);
    CHECK(memcmp(got, "testament", 9) == 0);
    CHECK_EQUAL(read(left[1], got, 100), 0);
    CHECK_EQUAL(send(left[1], "x", 1, MSG_NOSIGNAL), -1);
    return finish();
}
