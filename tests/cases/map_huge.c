// Memory of huge pages (MAP_HUGETLB), as far as the machine has any free; ordinary pages stand in for it where it has
// none, so that the contents are checked in any case.
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "map_huge");
    const size_t bytes = (size_t)2 << 20;
    char *area = mmap(NULL, 3 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(area != MAP_FAILED);
    area = (char *)(((uintptr_t)area + bytes - 1) & ~(bytes - 1));
    const int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    char *memory = mmap(area, bytes, PROT_READ | PROT_WRITE, kFlags | MAP_HUGETLB, -1, 0);
    if (memory == MAP_FAILED) memory = mmap(area, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
    CHECK(memory == area);
    fill(memory, bytes, 3);
    memset(memory + 8192, 0, 4096);
    watch(memory, bytes);
    ready();
    wait_for_go();

    for (int i = 0; i < 4096; ++i) CHECK_EQUAL(memory[8192 + i], 0);
    expect(memory, 8192, 3, "huge pages");
    memset(memory, 7, bytes);
    CHECK_EQUAL(munmap(memory, bytes), 0);
    return finish();
}
