// Memory that cannot come back as it is, which no name tells and only the kernel's flags of the mapping show: the one rank
// that has some is found out while all stand still, and everybody goes on unharmed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

enum { kBytes = 3 * 4096 };

// Where kernel and processor know neither seals nor keys, a descriptor stands for them.
static void make_special(char *memory) {
    if (syscall(SYS_mseal, memory, kBytes, 0) == 0) return;
    const int key = pkey_alloc(0, 0);
    if (key > 0 && pkey_mprotect(memory, kBytes, PROT_READ | PROT_WRITE, key) == 0) return;
    CHECK(syscall(SYS_userfaultfd, O_CLOEXEC) >= 0);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_memory");
    char *memory = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    fill(memory, kBytes, 5);
    if (rank == size - 1) make_special(memory);
    ready();
    wait_for_go();
    expect(memory, kBytes, 5, "the memory");
    return finish();
}
