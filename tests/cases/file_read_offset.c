// A file that is read bit by bit goes on at the right place, also through stdio with its read-ahead.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "file_read_offset");
    static char content[100000];
    fill(content, sizeof content, rank);
    const char *path = case_path("input");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK_EQUAL(write(fd, content, sizeof content), sizeof content);
    close(fd);
    fd = open(path, O_RDONLY);
    FILE *stream = fopen(path, "r");
    char part[10];
    for (int i = 0; i < 1234; ++i) {
        CHECK_EQUAL(read(fd, part, 7), 7);
        CHECK_EQUAL(fread(part, 1, 10, stream), 10);
    }
    ready();
    wait_for_go();

    CHECK_EQUAL(lseek(fd, 0, SEEK_CUR), 1234 * 7);
    CHECK_EQUAL(ftell(stream), 12340);
    for (int at = 1234 * 7; at < 60000; at += 7) {
        CHECK_EQUAL(read(fd, part, 7), 7);
        for (int i = 0; i < 7; ++i) CHECK_EQUAL(part[i], content[at + i]);
    }
    for (int at = 12340; at < 90000; at += 10) {
        CHECK_EQUAL(fread(part, 1, 10, stream), 10);
        for (int i = 0; i < 10; ++i) CHECK_EQUAL(part[i], content[at + i]);
    }
    CHECK_EQUAL(write(fd, part, 1), -1);
    return finish();
}
