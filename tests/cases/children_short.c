// Commands of system() and popen() one after the other: a checkpoint waits for a moment without one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "children_short");
    ready();
    do {
        CHECK_EQUAL(system("exit 7") >> 8, 7);
        FILE *pipe = popen("echo one two", "r");
        char line[32] = "";
        CHECK(pipe && fgets(line, sizeof line, pipe));
        CHECK_EQUAL(pclose(pipe), 0);
        CHECK(strcmp(line, "one two\n") == 0);
        for (int i = 0; i < 20; ++i) nap();
    } while (all_still_waiting(MPI_COMM_WORLD));
    return finish();
}
