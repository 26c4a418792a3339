// A program with the sanitizer for undefined behaviour, which has no memory of its own: checkpointed as any other; its
// checks still find what they should after a restore.
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

// Its messages on standard error.
static int reported(int (*function)(int), int argument) {
    char text[1024] = "";
    int ends[2], kept = dup(STDERR_FILENO);
    CHECK_EQUAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    function(argument);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof text - 1) >= 0);
    close(ends[0]);
    return strstr(text, "runtime error: ") != NULL;
}

static int add(int to) { return to + 1; }
static int shift(int by) { return 1 << by; }

int main(int argc, char **argv) {
    start(&argc, &argv, "sanitized_undefined");
    CHECK(reported(add, INT_MAX));
    ready();
    wait_for_go();
    CHECK(!reported(shift, 3));
    CHECK(reported(shift, 40));
    return finish();
}
