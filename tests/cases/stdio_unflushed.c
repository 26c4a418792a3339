// Bytes that are only in stdio buffers at the cut, in a file, in a memory stream and pushed back, come out once.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "stdio_unflushed");
    char path[4096], *text = NULL, line[100];
    size_t length = 0;
    snprintf(path, sizeof path, "%s", case_path("buffered"));
    FILE *file = fopen(path, "w"), *memory = open_memstream(&text, &length), *input = fopen("/proc/cpuinfo", "r");
    CHECK(file && memory && input);
    setvbuf(file, NULL, _IOFBF, 8192);
    fputs("written and flushed\n", file);
    fflush(file);
    fputs("only in the buffer, ", file);
    fprintf(memory, "in memory %d, ", 1);
    int first = getc(input);
    ungetc('!', input);
    ready();
    wait_for_go();

    fputs("and completed\n", file);
    fclose(file);
    file = fopen(path, "r");
    CHECK(fgets(line, sizeof line, file) && strcmp(line, "written and flushed\n") == 0);
    CHECK(fgets(line, sizeof line, file) && strcmp(line, "only in the buffer, and completed\n") == 0);
    CHECK(!fgets(line, sizeof line, file));
    fprintf(memory, "and %d", 2);
    fclose(memory);
    CHECK(strcmp(text, "in memory 1, and 2") == 0);
    CHECK_EQUAL(first, 'p');
    CHECK_EQUAL(getc(input), '!');
    CHECK_EQUAL(getc(input), 'r');
    return finish();
}
