// open(2) gives the lowest free number, before a checkpoint, while one is being written, and after it: none of those
// numbers is taken from the program, which calls MPI neither then nor in between.
#include <fcntl.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "descriptor_lowest");
    int lowest = open(case_path("file"), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(lowest >= 0);
    close(lowest);
    ready();
    while (still_waiting()) {
        CHECK_EQUAL(fcntl(lowest, F_GETFD), -1);
        int again = open(case_path("file"), O_RDONLY);
        CHECK_EQUAL(again, lowest);
        CHECK_EQUAL(close(again), 0);
    }
    return finish();
}
