// What the kernel was told about memory holds afterwards: locks, advice, reservations, a stack of the program's own
// that grows, as /proc/self/smaps shows it.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "testcase_mpi.h"

enum { kPage = 4096, kPages = 8, kStack = 256 };

static const struct {
    const char *flags;  // that smaps shows
    int advice;
} kAdvices[] = {{" nh", MADV_NOHUGEPAGE}, {" hg", MADV_HUGEPAGE},   {" dc", MADV_DONTFORK}, {" dd", MADV_DONTDUMP},
                {" wf", MADV_WIPEONFORK}, {" sr", MADV_SEQUENTIAL}, {" rr", MADV_RANDOM}};
enum { kCount = sizeof kAdvices / sizeof *kAdvices };

// Does smaps show these flags of the memory at this address?
static bool shows(const void *at, const char *flags) {
    static char line[8192];
    FILE *file = fopen("/proc/self/smaps", "r");
    bool inside = false, found = false;
    while (fgets(line, sizeof line, file)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) inside = start <= (unsigned long)at && (unsigned long)at < end;
        if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            line[strcspn(line, "\n")] = ' ';
            found = strstr(line, flags) != NULL;
        }
    }
    fclose(file);
    return found;
}

static char *map(size_t pages, int flags) {
    // With a hole around it, so that no mapping is joined with another.
    char *area = mmap(NULL, (pages + 2) * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(area != MAP_FAILED);
    char *result = mmap(area + kPage, pages * kPage, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
    CHECK(result != MAP_FAILED);
    return result;
}

static void __attribute__((noinline)) use(char *top, int pages) {
    for (int page = 1; page <= pages; ++page) top[-(long)page * kPage] = 1;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "map_advice");
    char *advised[kCount];
    bool accepted[kCount];
    for (int i = 0; i < kCount; ++i) {
        advised[i] = map(kPages, 0);
        fill(advised[i], kPages * kPage, i);
        accepted[i] =
            madvise(advised[i], kPages * kPage, kAdvices[i].advice) == 0 && shows(advised[i], kAdvices[i].flags);
    }
    CHECK(accepted[2] && accepted[3] && accepted[4]);
    char *locked = map(kPages, 0), *on_fault = map(kPages, 0), *reserved = map(kPages, MAP_NORESERVE);
    fill(locked, kPages * kPage, 20);
    CHECK_EQUAL(mlock(locked, kPages * kPage), 0);
    CHECK_EQUAL(mlock2(on_fault, kPages * kPage, MLOCK_ONFAULT), 0);
    CHECK(shows(locked, " lo ") && shows(on_fault, " lo ") && shows(reserved, " nr "));
    // Grows down into a place that is kept free below it.
    char *place = mmap(NULL, (kStack + 512) * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(place != MAP_FAILED);
    munmap(place, (kStack + 512) * kPage);
    char *top = place + (kStack + 512) * kPage;
    CHECK(mmap(top - 2 * kPage, 2 * kPage, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0) == top - 2 * kPage);
    use(top, 20);
    fill(top - 20 * kPage, 20 * kPage, 21);
    watch(locked, kPages * kPage);
    ready();
    wait_for_go();

    for (int i = 0; i < kCount; ++i) {
        expect(advised[i], kPages * kPage, i, "advised memory");
        CHECK_EQUAL(shows(advised[i], kAdvices[i].flags), accepted[i]);
    }
    expect(locked, kPages * kPage, 20, "locked memory");
    CHECK(shows(locked, " lo ") && shows(on_fault, " lo ") && shows(reserved, " nr "));
    CHECK_EQUAL(munlock(locked, kPages * kPage), 0);
    CHECK(!shows(locked, " lo "));
    expect(top - 20 * kPage, 20 * kPage, 21, "the program's own stack");
    CHECK(shows(top - 1, " gd "));
    use(top, kStack);
    return finish();
}
