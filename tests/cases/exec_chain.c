// A program that is reached through every function of the exec family, one after the other, each with an environment and
// arguments that have to arrive; then it is checkpointed as any other.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testcase.h"

extern char **environ;

static void give(const char *number) {
    if (setenv("CASE_CHAIN", number, 1)) fail("setenv");
}

int main(int argc, char **argv) {
    static const char *const numbers[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    const int stage = argc < 2 ? 0 : atoi(argv[1]);
    char *self = argv[0], *next = (char *)numbers[stage < 7 ? stage + 1 : 0];
    char *arguments[] = {self, next, (char *)"two words", NULL};
    char directory[4096], *name = strrchr(self, '/') + 1;
    char *alone[16] = {NULL};
    int copied = 0;

    if (stage) {
        CHECK(argc == 3 && strcmp(argv[2], "two words") == 0);
        CHECK(getenv("CASE_CHAIN") && strcmp(getenv("CASE_CHAIN"), argv[1]) == 0);
    }
    snprintf(directory, sizeof directory, "PATH=/nowhere:%.*s:/usr/bin:/bin", (int)(name - self - 1), self);
    give(next);
    switch (stage) {
        case 0: execve(self, arguments, environ); break;
        case 1: execv(self, arguments); break;
        case 2: execl(self, self, next, "two words", NULL); break;
        case 3: execle(self, self, next, "two words", NULL, environ); break;
        case 4:
            putenv(directory);
            execvp(name, arguments);
            break;
        case 5:
            putenv(directory);
            execlp(name, self, next, "two words", NULL);
            break;
        case 6:
            // What is not given does not arrive; the interceptor is told to go on nevertheless.
            putenv(directory);
            for (char **variable = environ; *variable; ++variable) {
                const char *const kept[] = {"SCKPT_", "CASE_CHAIN=", "OMPI_COMM_WORLD_RANK=", "OMPI_COMM_WORLD_SIZE="};
                for (size_t i = 0; i < sizeof kept / sizeof *kept && copied < 15; ++i)
                    if (strncmp(*variable, kept[i], strlen(kept[i])) == 0) alone[copied++] = *variable;
            }
            execvpe(name, arguments, alone);
            break;
        default: break;
    }
    if (stage < 7) fail("exec number %d: %m", stage);
    CHECK(getenv("PATH") == NULL);
    char *missing[] = {(char *)"none", NULL};
    CHECK_EQUAL(execvp("/nowhere/none", missing), -1);
    CHECK_EQUAL(execve("/etc", missing, environ), -1);
    begin("exec_chain");
    ready();
    wait_for_go();
    return pass();
}
