// A large mapping that is mostly untouched, guard pages, a read-only and a read-execute page, a hole, a moved mapping.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "testcase_mpi.h"

static const size_t kPage = 4096, kLarge = (size_t)1 << 30;
static sigjmp_buf after_fault;

static void jump(int number) {
    (void)number;
    siglongjmp(after_fault, 1);
}

static bool faults(volatile char *at, bool write) {
    if (sigsetjmp(after_fault, 1)) return true;
    if (write)
        *at = 1;
    else
        (void)*at;
    return false;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mmap_guards");
    char *large = mmap(NULL, kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(large != MAP_FAILED);
    for (size_t at = 0; at < kLarge; at += kLarge / 16) fill(large + at, 100, at);
    char *guarded = mmap(NULL, 8 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(guarded, 8 * kPage, 5);
    mprotect(guarded, kPage, PROT_NONE);
    mprotect(guarded + 2 * kPage, kPage, PROT_READ);
    memcpy(guarded + 3 * kPage, "\xb8\x2a\x00\x00\x00\xc3", 6);  // mov $42, %eax; ret
    mprotect(guarded + 3 * kPage, kPage, PROT_READ | PROT_EXEC);
    munmap(guarded + 5 * kPage, kPage);
    char *moved = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fill(moved, 2 * kPage, 6);
    moved = mremap(moved, 2 * kPage, 300 * kPage, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED);
    watch(large, kLarge);
    watch(guarded, 8 * kPage);
    watch(moved, 300 * kPage);
    struct sigaction action = {.sa_handler = jump}, old;
    sigaction(SIGSEGV, &action, &old);
    ready();
    wait_for_go();

    for (size_t at = 0; at < kLarge; at += kLarge / 16) {
        expect(large + at, 100, at, "the touched part of the large mapping");
        CHECK_EQUAL(large[at + kLarge / 32], 0);
    }
    CHECK(faults(guarded, false));
    CHECK(!faults(guarded + 2 * kPage, false) && faults(guarded + 2 * kPage, true));
    CHECK(faults(guarded + 3 * kPage, true));
    CHECK(faults(guarded + 5 * kPage, false));
    CHECK_EQUAL(((int (*)(void))(guarded + 3 * kPage))(), 42);
    CHECK_EQUAL(mprotect(guarded, kPage, PROT_READ), 0);
    expect(guarded, kPage, 5, "what is behind the guard page");
    expect(moved, 2 * kPage, 6, "the moved mapping");
    CHECK_EQUAL(moved[299 * kPage], 0);
    sigaction(SIGSEGV, &old, NULL);
    return finish();
}
