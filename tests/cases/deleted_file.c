// A temporary file that was deleted while open exists only through its descriptor, and must go on existing.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "deleted_file");
    char content[9000], got[9000];
    const char *path = case_path("scratch");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    fill(content, sizeof content, rank);
    CHECK_EQUAL(write(fd, content, sizeof content), sizeof content);
    CHECK_EQUAL(unlink(path), 0);
    CHECK_EQUAL(lseek(fd, 1234, SEEK_SET), 1234);
    ready();
    wait_for_go();

    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 1234);
    CHECK_EQUAL(pread(fd, got, sizeof got, 0), sizeof got);
    expect(got, sizeof got, rank, "the deleted file");
    CHECK_EQUAL(write(fd, "xyz", 3), 3);
    CHECK_EQUAL(pread(fd, got, 3, 1234), 3);
    CHECK(got[0] == 'x' && got[1] == 'y' && got[2] == 'z');
    return finish();
}
