// A program of many mappings: everything about them must take time in proportion.  Every second page is read-only, so
// that no two are one mapping to the kernel; every hundredth holds something.
//
// A negative number: as many as the kernel allows (vm.max_map_count), and so many less.  With few left a checkpoint is
// declined and the program runs on; with some more it comes back.  More than most kernels allow, by hand and as root:
//     sysctl -w vm.max_map_count=262144; MAP_MANY=100000 tests/run.py --case map_many; sysctl -w vm.max_map_count=65530
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

enum { kPage = 4096, kEvery = 100 };

// Mappings that the kernel would still make.
static long left(void) {
    long most = 0, present = 0;
    FILE *limit = fopen("/proc/sys/vm/max_map_count", "r"), *maps = fopen("/proc/self/maps", "r");
    CHECK(limit && maps && fscanf(limit, "%ld", &most) == 1);
    for (int c; (c = getc(maps)) != EOF;) present += c == '\n';
    fclose(limit);
    fclose(maps);
    return most - present;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "map_many");
    const char *wanted = getenv("MAP_MANY");
    long count = atol(wanted ? wanted : argv[1]);
    if (count <= 0) count += left();
    char *area = mmap(NULL, (size_t)count * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    for (long page = 0; page < count; page += kEvery) fill(area + page * kPage, kPage, page);
    for (long page = 0; page < count; page += 2)
        if (mprotect(area + page * kPage, kPage, PROT_READ) != 0) fail("no more than %ld mappings: %m", page);
    ready();
    wait_for_go();

    for (long page = 0; page < count; page += kEvery) expect(area + page * kPage, kPage, page, "a page");
    CHECK_EQUAL(area[kPage], 0);
    CHECK_EQUAL(munmap(area, (size_t)count * kPage), 0);
    return finish();
}
