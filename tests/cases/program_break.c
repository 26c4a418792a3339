// The program break: what lies below it, where it is, and that it moves on in both directions.
#define _DEFAULT_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kBytes = 300000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "program_break");
    unsigned char *own = sbrk(kBytes);
    CHECK(own != (void *)-1);
    fill(own, kBytes, 8);
    char *const top = sbrk(0);
    CHECK(top == (char *)syscall(SYS_brk, 0));
    ready();
    wait_for_go();

    CHECK(sbrk(0) == top);
    CHECK((char *)syscall(SYS_brk, 0) == top);
    expect(own, kBytes, 8, "memory below the break");
    unsigned char *more = sbrk(kBytes);
    CHECK((char *)more == top);
    for (int i = 0; i < kBytes; ++i) CHECK(more[i] == 0);
    memset(more, 1, kBytes);
    CHECK(sbrk(-kBytes) != (void *)-1);
    CHECK(sbrk(0) == top);
    // The heap of malloc grows by the break as well.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    unsigned char *block = malloc(8 << 20);
    CHECK(block > own);
    fill(block, 8 << 20, 9);
    expect(own, kBytes, 8, "memory below the break");
    expect(block, 8 << 20, 9, "a block of the heap");
    free(block);
    return finish();
}
