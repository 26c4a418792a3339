// A task without MPI and what it has open: a log that it appends to, a file that it reads, a pipe with data inside, a
// file that has been deleted, standard output that it writes through stdio.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testcase.h"

enum { kBytes = 100000, kRead = 60000, kInPipe = 5000 };

int main(void) {
    begin("serial_files");
    static char content[kBytes], again[kBytes];
    fill(content, kBytes, 3);

    int written = open(case_path("data"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQUAL(write(written, content, kBytes), kBytes);
    int reader = open(case_path("data"), O_RDONLY);
    CHECK_EQUAL(read(reader, again, kRead), kRead);

    int deleted = open(case_path("gone"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQUAL(write(deleted, content, kBytes), kBytes);
    CHECK_EQUAL(unlink(case_path("gone")), 0);

    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(write(ends[1], content, kInPipe), kInPipe);

    FILE *log = fopen(case_path("log"), "a+");
    CHECK(log != NULL);
    long lines = 0;
    ready();
    for (; still_waiting(); ++lines) {
        CHECK(fprintf(log, "line %ld\n", lines) > 0);
        if (lines % 7 == 0) fflush(log);
        nap();
    }

    CHECK_EQUAL(read(reader, again + kRead, kBytes - kRead), kBytes - kRead);
    expect(again, kBytes, 3, "the file that was being read");
    memset(again, 0, kBytes);
    CHECK_EQUAL(pread(deleted, again, kBytes, 0), kBytes);
    expect(again, kBytes, 3, "the deleted file");
    CHECK_EQUAL(access(case_path("gone"), F_OK), -1);
    memset(again, 0, kBytes);
    CHECK_EQUAL(read(ends[0], again, kBytes), kInPipe);
    CHECK(memcmp(again, content, kInPipe) == 0);

    // Nothing lost, nothing doubled.
    rewind(log);
    for (long line = 0; line < lines; ++line) {
        long number = -1;
        CHECK_EQUAL(fscanf(log, "line %ld\n", &number), 1);
        CHECK_EQUAL(number, line);
    }
    CHECK_EQUAL(fgetc(log), EOF);
    return pass();
}
