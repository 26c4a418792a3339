// A task that never calls MPI: memory, an open file and a computation.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "testcase.h"

int main(void) {
    begin("serial_compute");
    uint64_t *table = malloc(1 << 20), value = 1, steps = 0;
    fill(table, 1 << 20, 9);
    int fd = open(case_path("steps"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    ready();
    for (; still_waiting(); ++steps) {
        for (int i = 0; i < 1000; ++i) value = mix(value);
        CHECK_EQUAL(write(fd, &value, sizeof value), sizeof value);
    }
    expect(table, 1 << 20, 9, "the table");
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), steps * sizeof value);
    lseek(fd, 0, SEEK_SET);
    value = 1;
    for (uint64_t s = 0; s < steps; ++s) {
        uint64_t written;
        for (int i = 0; i < 1000; ++i) value = mix(value);
        CHECK_EQUAL(read(fd, &written, sizeof written), sizeof written);
        CHECK(written == value);
    }
    return pass();
}
