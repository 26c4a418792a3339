// Duplicated descriptors share their offset, separately opened ones do not; numbers and flags are kept.
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "file_dup_offset");
    int first = open(case_path("file"), O_RDWR | O_CREAT | O_EXCL, 0600);
    int second = dup(first), high = fcntl(first, F_DUPFD_CLOEXEC, 200), own = open(case_path("file"), O_RDONLY);
    CHECK(second >= 0 && high >= 200 && own >= 0);
    CHECK_EQUAL(write(first, "0123456789", 10), 10);
    CHECK_EQUAL(lseek(second, 4, SEEK_SET), 4);
    CHECK_EQUAL(lseek(own, 7, SEEK_SET), 7);
    CHECK_EQUAL(dup2(own, 300), 300);
    close(own);
    ready();
    wait_for_go();

    char byte;
    CHECK_EQUAL(read(first, &byte, 1), 1);
    CHECK_EQUAL(byte, '4');
    CHECK_EQUAL(read(high, &byte, 1), 1);
    CHECK_EQUAL(byte, '5');
    CHECK_EQUAL(read(300, &byte, 1), 1);
    CHECK_EQUAL(byte, '7');
    CHECK_EQUAL(lseek(second, 0, SEEK_CUR), 6);
    CHECK_EQUAL(fcntl(high, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(second, F_GETFD), 0);
    CHECK_EQUAL(fcntl(300, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQUAL(fcntl(own, F_GETFD), -1);
    return finish();
}
