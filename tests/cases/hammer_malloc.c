// Threads that allocate and free without a pause from one arena, one lock for all of them.  MALLOC_ARENA_MAX=1.
#define _GNU_SOURCE
#include <stdlib.h>

#include "hammer.h"

enum { kThreads = 3, kBlocks = 64 };

static struct {
    unsigned char *data;
    size_t bytes;
    uint64_t seed;
} blocks[kThreads][kBlocks];

static void turn(Hammer *self) {
    static __thread uint64_t random;
    for (int i = 0; i < 200; ++i) {
        random = mix(random + (uint64_t)self->number);
        const int at = random % kBlocks;
        const size_t bytes = 1 + (random >> 32) % (random % 40 == 0 ? 300000 : 900);
        if (blocks[self->number][at].data)
            expect(blocks[self->number][at].data, blocks[self->number][at].bytes, blocks[self->number][at].seed,
                   "a block of the heap");
        if (random % 4 == 0) {
            blocks[self->number][at].data = realloc(blocks[self->number][at].data, bytes);
        } else {
            free(blocks[self->number][at].data);
            blocks[self->number][at].data = malloc(bytes);
        }
        CHECK(blocks[self->number][at].data != NULL);
        blocks[self->number][at].bytes = bytes;
        blocks[self->number][at].seed = random;
        fill(blocks[self->number][at].data, bytes, random);
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "hammer_malloc");
    static Hammer threads[kThreads];
    hammer_until_go(threads, kThreads, turn);
    for (int i = 0; i < kThreads; ++i)
        for (int at = 0; at < kBlocks; ++at) {
            if (blocks[i][at].data)
                expect(blocks[i][at].data, blocks[i][at].bytes, blocks[i][at].seed, "a block of the heap at the end");
            free(blocks[i][at].data);
        }
    return finish();
}
