// A log opened with O_APPEND grows all the time: in the end it has every line once, in order.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "file_append");
    char line[64];
    long lines = 0;
    int fd = open(case_path("log"), O_WRONLY | O_CREAT | O_APPEND, 0640);
    ready();
    for (; still_waiting(); ++lines) {
        int length = snprintf(line, sizeof line, "step %ld of rank %d\n", lines, rank);
        CHECK_EQUAL(write(fd, line, length), length);
        if (lines % 100 == 0) nap();
    }
    CHECK(fcntl(fd, F_GETFL) & O_APPEND);
    close(fd);
    FILE *file = fopen(case_path("log"), "r");
    CHECK(file != NULL);
    for (long i = 0; i < lines; ++i) {
        char got[64];
        snprintf(line, sizeof line, "step %ld of rank %d\n", i, rank);
        if (!fgets(got, sizeof got, file)) fail("the log ends before line %ld of %ld", i, lines);
        if (strcmp(line, got) != 0) fail("line %ld of the log is '%s'", i, got);
    }
    if (fgets(line, sizeof line, file)) fail("the log has a line too many: '%s'", line);
    return finish();
}
