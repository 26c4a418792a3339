// Output written by stdio and by pwrite after the cut is cut back at a restore: nothing missing, nothing doubled.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "file_write_cut");
    FILE *stream = fopen(case_path("stream"), "w");
    int fd = open(case_path("blocks"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(stream && fd >= 0);
    long steps = 0;
    uint64_t block[64];
    ready();
    for (; still_waiting(); ++steps) {
        fprintf(stream, "%ld %llu\n", steps, (unsigned long long)mix(steps));
        fill(block, sizeof block, steps);
        CHECK_EQUAL(pwrite(fd, block, sizeof block, steps * sizeof block), sizeof block);
        if (steps % 50 == 0) nap();
        // The file may not be longer than what this program has written.
        struct stat info;
        fstat(fd, &info);
        CHECK_EQUAL(info.st_size, (steps + 1) * sizeof block);
    }
    fclose(stream);
    stream = fopen(case_path("stream"), "r");
    long step, lines = 0;
    unsigned long long value;
    while (fscanf(stream, "%ld %llu\n", &step, &value) == 2) {
        CHECK_EQUAL(step, lines);
        CHECK(value == mix(lines));
        ++lines;
    }
    CHECK_EQUAL(lines, steps);
    for (long i = 0; i < steps; ++i) {
        CHECK_EQUAL(pread(fd, block, sizeof block, i * sizeof block), sizeof block);
        expect(block, sizeof block, i, "a block of the file");
    }
    return finish();
}
