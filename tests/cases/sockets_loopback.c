// TCP within the process: a listener with its options and one connection waiting at it; an accepted connection, held by
// two threads, with data in both directions; one whose listener is gone, half closed; and UDP, bound and connected.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testcase_mpi.h"

static int served = -1;

// Waits in recv() over the cut.
static void *serve(void *unused) {
    char byte;
    (void)unused;
    pthread_setname_np(pthread_self(), "app-server");
    while (recv(served, &byte, 1, 0) == 1 && byte != 'q') CHECK_EQUAL(send(served, &byte, 1, 0), 1);
    return NULL;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// At a port that the kernel gives to nobody by itself: it must be free again at a restore.
static void bind_somewhere(int fd, struct sockaddr_in *address) {
    static int next;
    for (int tries = 0; tries < 1000; ++tries) {
        *address = loopback(20000 + (getpid() * 5 + next++) % 10000);
        if (bind(fd, (struct sockaddr *)address, sizeof *address) == 0) return;
        CHECK_EQUAL(errno, EADDRINUSE);
    }
    fail("no port is free");
}

static int listening(struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    CHECK_EQUAL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    bind_somewhere(fd, address);
    CHECK_EQUAL(listen(fd, 9), 0);
    CHECK_EQUAL(getsockname(fd, (struct sockaddr *)address, &length), 0);
    return fd;
}

static int connected(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQUAL(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

static struct sockaddr_in name(int fd) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    CHECK_EQUAL(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return address;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "sockets_loopback");
    struct sockaddr_in here, other;
    char data[30000], got[30000];
    int listener = listening(&here), on = 1, value = 0;
    socklen_t length = sizeof value;
    fill(data, sizeof data, rank);

    int client = connected(&here);
    served = accept(listener, NULL, NULL);
    CHECK_EQUAL(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, serve, NULL), 0);

    int second = connected(&here), accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK_EQUAL(send(second, data, sizeof data, 0), sizeof data);
    CHECK_EQUAL(send(accepted, data, 11, 0), 11);

    int gone = listening(&other), third = connected(&other), its = accept(gone, NULL, NULL);
    close(gone);
    CHECK_EQUAL(send(third, "last", 4, 0), 4);
    CHECK_EQUAL(shutdown(third, SHUT_WR), 0);

    int waits = connected(&here);
    int bound = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in port;
    bind_somewhere(bound, &port);
    CHECK_EQUAL(connect(sender, (struct sockaddr *)&port, sizeof port), 0);
    ready();
    wait_for_go();

    CHECK_EQUAL(send(client, "e", 1, 0), 1);
    CHECK_EQUAL(recv(client, got, 10, 0), 1);
    CHECK_EQUAL(send(client, "q", 1, 0), 1);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
    CHECK(value != 0);
    length = sizeof other;
    CHECK_EQUAL(getpeername(accepted, (struct sockaddr *)&other, &length), 0);
    CHECK_EQUAL(name(second).sin_port, other.sin_port);
    CHECK_EQUAL(name(listener).sin_port, here.sin_port);

    for (int have = 0; have < (int)sizeof got;) {
        struct pollfd state = {.fd = accepted, .events = POLLIN};
        CHECK_EQUAL(poll(&state, 1, 10000), 1);
        int part = recv(accepted, got + have, sizeof got - have, 0);
        CHECK(part > 0);
        have += part;
    }
    expect(got, sizeof got, rank, "what was in the connection");
    CHECK_EQUAL(recv(accepted, got, 1, 0), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(fcntl(accepted, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(recv(second, got, 100, 0), 11);

    CHECK_EQUAL(recv(its, got, 100, 0), 4);
    CHECK_EQUAL(recv(its, got, 100, 0), 0);
    CHECK_EQUAL(send(its, "reply", 5, 0), 5);
    CHECK_EQUAL(recv(third, got, 100, 0), 5);
    CHECK_EQUAL(send(third, "x", 1, MSG_NOSIGNAL), -1);

    int late = accept(listener, NULL, NULL);
    CHECK_EQUAL(send(waits, "late", 4, 0), 4);
    CHECK_EQUAL(recv(late, got, 100, 0), 4);
    int fresh = connected(&here), its_end = accept(listener, NULL, NULL);
    CHECK(fresh >= 0 && its_end >= 0);

    CHECK_EQUAL(send(sender, "datagram", 8, 0), 8);
    CHECK_EQUAL(recv(bound, got, 100, 0), 8);
    CHECK_EQUAL(name(bound).sin_port, port.sin_port);
    return finish();
}
