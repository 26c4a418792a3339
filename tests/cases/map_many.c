// A program of many mappings: everything about them must take time in proportion.  Every second page is read-only, so
// that no two are one mapping to the kernel; every hundredth holds something.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

enum { kPage = 4096, kEvery = 100 };

int main(int argc, char **argv) {
    start(&argc, &argv, "map_many");
    const long count = atol(argv[1]);
    char *area = mmap(NULL, (size_t)count * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    for (long page = 0; page < count; page += kEvery) fill(area + page * kPage, kPage, page);
    for (long page = 0; page < count; page += 2) CHECK_EQUAL(mprotect(area + page * kPage, kPage, PROT_READ), 0);
    ready();
    wait_for_go();

    for (long page = 0; page < count; page += kEvery) expect(area + page * kPage, kPage, page, "a page");
    CHECK_EQUAL(area[kPage], 0);
    CHECK_EQUAL(munmap(area, (size_t)count * kPage), 0);
    return finish();
}
