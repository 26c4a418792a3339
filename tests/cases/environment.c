// Variables that the program has set, changed and removed; pointers from getenv stay good; arguments are as they were.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

extern char **environ;

int main(int argc, char **argv) {
    start(&argc, &argv, "environment");
    CHECK_EQUAL(argc, 3);
    const char *given = getenv("CASE_GIVEN");
    CHECK(given != NULL);
    setenv("CASE_SET", "by the program", 1);
    setenv("CASE_CHANGED", "once", 1);
    setenv("CASE_CHANGED", "twice", 1);
    unsetenv("CASE_REMOVED");
    char put[] = "CASE_PUT=on the stack";
    putenv(put);
    int count = 0;
    while (environ[count]) ++count;
    ready();
    wait_for_go();

    int again = 0;
    while (environ[again]) ++again;
    CHECK_EQUAL(again, count);
    CHECK(getenv("CASE_GIVEN") == given && strcmp(given, "from the runner") == 0);
    CHECK(strcmp(getenv("CASE_SET"), "by the program") == 0);
    CHECK(strcmp(getenv("CASE_CHANGED"), "twice") == 0);
    CHECK(getenv("CASE_REMOVED") == NULL);
    CHECK(getenv("CASE_PUT") == put + 9);
    CHECK(strcmp(argv[1], "two words") == 0 && strcmp(argv[2], "") == 0);
    return finish();
}
