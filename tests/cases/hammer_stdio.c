// Threads that print to one stream and open, use and close streams of their own without a pause.
#define _GNU_SOURCE
#include <string.h>

#include "hammer.h"

enum { kThreads = 3, kLine = 32, kLines = 20000, kOwnBytes = 3000 };

static FILE *shared;
static char own_path[kThreads][4096];

// Lines are all of the same length, so that the stream can start again at its beginning.
static void print_line(int number, long turn) {
    flockfile(shared);
    if (ftell(shared) >= (long)kLine * kLines) rewind(shared);
    const int length =
        fprintf(shared, "%d %012ld %016lx\n", number, turn, (unsigned long)mix(turn * kThreads + number));
    funlockfile(shared);
    CHECK_EQUAL(length, kLine);
}

static void turn(Hammer *self) {
    for (int i = 0; i < 20; ++i) print_line(self->number, self->turns);
    if (self->turns % 7 == 0) CHECK_EQUAL(fflush(shared), 0);

    unsigned char content[kOwnBytes];
    FILE *own = fopen(own_path[self->number], "r+");
    CHECK(own != NULL);
    CHECK_EQUAL(fread(content, 1, sizeof content, own), sizeof content);
    expect(content, sizeof content, self->number, "a file of a thread");
    CHECK_EQUAL(fseek(own, 0, SEEK_SET), 0);
    CHECK_EQUAL(fwrite(content, 1, sizeof content, own), sizeof content);
    CHECK_EQUAL(fclose(own), 0);
}

static void check_lines(const char *path) {
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    char line[256], wanted[256];
    long count = 0;
    for (; fgets(line, sizeof line, in); ++count) {
        int number;
        long turn;
        if (sscanf(line, "%d %ld", &number, &turn) != 2) fail("line %ld of %s is not whole: %s", count, path, line);
        snprintf(wanted, sizeof wanted, "%d %012ld %016lx\n", number, turn,
                 (unsigned long)mix(turn * kThreads + number));
        if (strcmp(line, wanted) != 0) fail("line %ld of %s is %s instead of %s", count, path, line, wanted);
    }
    CHECK(count > 0);
    CHECK_EQUAL(fclose(in), 0);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "hammer_stdio");
    char path[4096];
    snprintf(path, sizeof path, "%s", case_path("lines"));
    shared = fopen(path, "w");
    CHECK(shared != NULL);
    for (int i = 0; i < kThreads; ++i) {
        unsigned char content[kOwnBytes];
        char leaf[32];
        snprintf(leaf, sizeof leaf, "own%d", i);
        snprintf(own_path[i], sizeof own_path[i], "%s", case_path(leaf));
        FILE *own = fopen(own_path[i], "w");
        CHECK(own != NULL);
        fill(content, sizeof content, i);
        CHECK_EQUAL(fwrite(content, 1, sizeof content, own), sizeof content);
        CHECK_EQUAL(fclose(own), 0);
    }
    static Hammer threads[kThreads];
    hammer_until_go(threads, kThreads, turn);
    CHECK_EQUAL(fclose(shared), 0);
    check_lines(path);
    return finish();
}
