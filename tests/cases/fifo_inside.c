// A fifo of which both ends are in the process, with data inside, and a pipe that was made larger and is more than
// half full.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "fifo_inside");
    enum { kLarge = 1 << 18, kFilled = 150000 };
    static char data[kFilled], got[kFilled];
    int ends[2];
    CHECK_EQUAL(mkfifo(case_path("fifo"), 0600), 0);
    int reader = open(case_path("fifo"), O_RDONLY | O_NONBLOCK), writer = open(case_path("fifo"), O_WRONLY);
    CHECK(reader >= 0 && writer >= 0);
    fill(data, sizeof data, rank);
    CHECK_EQUAL(write(writer, data, 5000), 5000);
    CHECK_EQUAL(pipe2(ends, O_NONBLOCK), 0);
    CHECK_EQUAL(fcntl(ends[1], F_SETPIPE_SZ, kLarge), kLarge);
    CHECK_EQUAL(write(ends[1], data, kFilled), kFilled);
    ready();
    wait_for_go();

    CHECK_EQUAL(read(reader, got, kFilled), 5000);
    expect(got, 5000, rank, "what was in the fifo");
    CHECK_EQUAL(write(writer, "x", 1), 1);
    CHECK_EQUAL(read(reader, got, 1), 1);
    CHECK_EQUAL(fcntl(ends[0], F_GETPIPE_SZ), kLarge);
    CHECK_EQUAL(read(ends[0], got, kFilled), kFilled);
    expect(got, kFilled, rank, "what was in the pipe");
    CHECK_EQUAL(read(ends[0], got, 1), -1);
    return finish();
}
