// Unix-domain sockets with names: a listener at a path with an accepted client, one with an abstract name, a datagram
// socket with unread mail from a sender with a name.  The path and its mode are there again, and new clients come in.
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "testcase_mpi.h"

static socklen_t at_path(struct sockaddr_un *name, const char *leaf) {
    const char *path = case_path(leaf);
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    CHECK(strlen(path) < sizeof name->sun_path);
    strcpy(name->sun_path, path);
    return sizeof *name;
}
static socklen_t abstract(struct sockaddr_un *name) {
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    const int length = snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "sckpt-case-%d-%d", rank, (int)getpid());
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}
static int server(const struct sockaddr_un *name, socklen_t length) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(fd, (const struct sockaddr *)name, length), 0);
    CHECK_EQUAL(listen(fd, 5), 0);
    return fd;
}
static int client(const struct sockaddr_un *name, socklen_t length) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(connect(fd, (const struct sockaddr *)name, length), 0);
    return fd;
}
static void talk(int from, int to) {
    char byte = 0;
    CHECK_EQUAL(send(from, "!", 1, 0), 1);
    CHECK_EQUAL(recv(to, &byte, 1, 0), 1);
    CHECK_EQUAL(byte, '!');
}

int main(int argc, char **argv) {
    start(&argc, &argv, "sockets_named");
    struct sockaddr_un path, hidden, mail, sender, from;
    socklen_t path_length = at_path(&path, "listener"), hidden_length = abstract(&hidden);
    socklen_t mail_length = at_path(&mail, "mail"), sender_length = at_path(&sender, "sender");
    int listener = server(&path, path_length), secret = server(&hidden, hidden_length);
    CHECK_EQUAL(chmod(path.sun_path, 0640), 0);
    int first = client(&path, path_length), accepted = accept(listener, NULL, NULL);
    int waits = client(&hidden, hidden_length);
    CHECK_EQUAL(send(first, "unread", 6, 0), 6);
    int box = socket(AF_UNIX, SOCK_DGRAM, 0), writer = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQUAL(bind(box, (struct sockaddr *)&mail, mail_length), 0);
    CHECK_EQUAL(bind(writer, (struct sockaddr *)&sender, sender_length), 0);
    CHECK_EQUAL(connect(writer, (struct sockaddr *)&mail, mail_length), 0);
    CHECK_EQUAL(send(writer, "letter", 6, 0), 6);
    ready();
    wait_for_go();

    char got[100] = "";
    struct stat info;
    CHECK_EQUAL(stat(path.sun_path, &info), 0);
    CHECK_EQUAL(info.st_mode & 07777, 0640);
    CHECK_EQUAL(recv(accepted, got, sizeof got, 0), 6);
    CHECK(memcmp(got, "unread", 6) == 0);
    talk(accepted, first);
    socklen_t length = sizeof from;
    CHECK_EQUAL(getpeername(first, (struct sockaddr *)&from, &length), 0);
    CHECK(strcmp(from.sun_path, path.sun_path) == 0);
    int late = client(&path, path_length), late_end = accept(listener, NULL, NULL);
    talk(late, late_end);
    int secret_end = accept(secret, NULL, NULL);
    talk(waits, secret_end);
    length = sizeof from;
    CHECK_EQUAL(recvfrom(box, got, sizeof got, 0, (struct sockaddr *)&from, &length), 6);
    CHECK(strcmp(from.sun_path, sender.sun_path) == 0);
    talk(writer, box);
    return finish();
}
