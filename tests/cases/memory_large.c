// A program of 16 GiB, of which it has touched some, in one piece and in single pages far from each other; what it has
// touched differs from page to page, and what it has not stays zero and takes no room in the checkpoint.
//
// By hand with more of it touched, up to all 16 GiB; needs as much memory, and as much room in the directory:
//     LARGE_MIB=16384 tests/run.py --case memory_large --timeout 900 --directory /tmp/large
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

enum { kWords = 512, kStep = 257 };  // words of a page; distance of single pages, in pages
static const uint64_t kPages = (16ull << 30) / (kWords * 8);

// A quarter of the words is random, the others are small.
static uint64_t word(uint64_t page, uint64_t index) {
    return index % 4 == 0 ? mix(page * kWords + index) : page + index;
}

// The first ones lie together; of the others every kStep'th is touched.
static bool is_touched(uint64_t page, uint64_t together) { return page < together || page % kStep == 0; }

static void check(const uint64_t *memory, uint64_t together) {
    for (uint64_t page = 0; page < kPages; ++page) {
        const uint64_t *words = memory + page * kWords;
        if (!is_touched(page, together)) {
            if (page % kStep == 1) CHECK(words[7] == 0);  // not all, since to look makes page tables
            continue;
        }
        for (uint64_t i = 0; i < kWords; ++i)
            if (words[i] != word(page, i)) fail("word %d of page %ld is altered", (int)i, (long)page);
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "memory_large");
    const char *wanted = getenv("LARGE_MIB");
    const uint64_t together = (uint64_t)atol(wanted ? wanted : argv[1]) << 8;
    CHECK(together <= kPages);
    // Without a reserve, so that it can be mapped where there is less memory than that.
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint64_t *memory = mmap(NULL, kPages * kWords * 8, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (uint64_t page = 0; page < kPages; ++page)
        if (is_touched(page, together))
            for (uint64_t i = 0; i < kWords; ++i) memory[page * kWords + i] = word(page, i);
    ready();
    wait_for_go();
    check(memory, together);
    for (uint64_t page = 0; page < kPages; page += kStep) memory[page * kWords] = 1;
    return finish();
}
