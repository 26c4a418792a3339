// A pseudo-terminal of which both ends are in the process: settings, size, a whole line and the start of another one
// that its program has not read, output that the other side has not read, and an end that is open without waiting.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "testcase_mpi.h"

// What is written at one end arrives at the other in the background.
static int arrived(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLIN};
    return poll(&state, 1, 10000);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "pty_inside");
    int master, slave, raw_master, raw_slave;
    struct winsize size = {.ws_row = 31, .ws_col = 97};
    struct termios settings;
    char got[200] = "";
    CHECK_EQUAL(openpty(&master, &slave, NULL, NULL, &size), 0);
    CHECK_EQUAL(openpty(&raw_master, &raw_slave, NULL, NULL, NULL), 0);
    CHECK_EQUAL(tcgetattr(raw_slave, &settings), 0);
    cfmakeraw(&settings);
    settings.c_cc[VMIN] = 3;
    CHECK_EQUAL(tcsetattr(raw_slave, TCSANOW, &settings), 0);
    CHECK_EQUAL(fcntl(raw_master, F_SETFL, O_NONBLOCK), 0);
    int same = dup(slave);
    CHECK_EQUAL(write(master, "whole line\nstart", 16), 16);
    CHECK_EQUAL(arrived(slave), 1);
    // The echo of it waits at the master, and this behind it.
    CHECK_EQUAL(write(slave, "said\n", 5), 5);
    CHECK_EQUAL(write(raw_master, "\x03\x04\r", 3), 3);
    CHECK_EQUAL(arrived(raw_slave), 1);
    watch_descriptor(master);
    watch_descriptor(raw_master);
    ready();
    wait_for_go();

    CHECK_EQUAL(arrived(slave), 1);
    CHECK_EQUAL(read(slave, got, sizeof got), 11);
    CHECK(memcmp(got, "whole line\n", 11) == 0);
    struct pollfd state = {.fd = slave, .events = POLLIN};
    CHECK_EQUAL(poll(&state, 1, 0), 0);
    CHECK_EQUAL(write(master, " and end\n", 9), 9);
    CHECK_EQUAL(arrived(same), 1);
    CHECK_EQUAL(read(same, got, sizeof got), 14);
    CHECK(memcmp(got, "start and end\n", 14) == 0);
    static const char output[] = "whole line\r\nstartsaid\r\n";
    int have = 0;
    while (have < (int)sizeof output - 1) {
        CHECK_EQUAL(arrived(master), 1);
        have += read(master, got + have, sizeof output - 1 - have);
    }
    CHECK(memcmp(got, output, sizeof output - 1) == 0);
    CHECK_EQUAL(ioctl(slave, TIOCGWINSZ, &size), 0);
    CHECK_EQUAL(size.ws_row, 31);
    CHECK_EQUAL(size.ws_col, 97);
    CHECK_EQUAL(tcgetattr(slave, &settings), 0);
    CHECK((settings.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));

    CHECK_EQUAL(read(raw_slave, got, sizeof got), 3);
    CHECK(memcmp(got, "\x03\x04\r", 3) == 0);
    CHECK_EQUAL(tcgetattr(raw_slave, &settings), 0);
    CHECK_EQUAL(settings.c_lflag & (ICANON | ECHO), 0);
    CHECK_EQUAL(settings.c_cc[VMIN], 3);
    CHECK_EQUAL(read(raw_master, got, sizeof got), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK(isatty(slave));
    close(raw_slave);
    CHECK_EQUAL(arrived(raw_master), 1);
    return finish();
}
