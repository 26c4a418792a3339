// malloc, realloc and free without a pause, in sizes on both sides of the mmap threshold; every block is checked.
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kBlocks = 300 };

int main(int argc, char **argv) {
    start(&argc, &argv, "heap_busy");
    static struct {
        char *data;
        size_t bytes;
        uint64_t seed;
    } blocks[kBlocks];
    uint64_t random = rank + 1;
    ready();
    while (still_waiting()) {
        for (int i = 0; i < 100; ++i) {
            random = mix(random);
            int at = random % kBlocks;
            size_t bytes = (random >> 32) % (random % 50 == 0 ? 300000 : 2000);
            if (blocks[at].data) expect(blocks[at].data, blocks[at].bytes, blocks[at].seed, "a block of the heap");
            if (random % 3 == 0) {
                free(blocks[at].data);
                blocks[at].data = malloc(bytes);
            } else {
                blocks[at].data = realloc(blocks[at].data, bytes + 1);
            }
            CHECK(blocks[at].data != NULL);
            blocks[at].bytes = bytes;
            blocks[at].seed = random;
            fill(blocks[at].data, bytes, random);
        }
    }
    for (int i = 0; i < kBlocks; ++i) {
        if (blocks[i].data) expect(blocks[i].data, blocks[i].bytes, blocks[i].seed, "a block of the heap");
        free(blocks[i].data);
    }
    return finish();
}
