// Memory that is shared without a name: mapped twice it is the same memory twice afterwards, and the same as behind a
// descriptor of it.  Private mappings of a deleted file keep what they showed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kPage = 4096, kBytes = 20 * kPage };

static char *map(int protection, int flags, int fd, off_t offset, size_t bytes) {
    char *result = mmap(NULL, bytes, protection, flags, fd, offset);
    CHECK(result != MAP_FAILED);
    return result;
}

// A write through one is seen through the other, `apart` bytes into it.
static void check_same(char *one, char *other, int apart) {
    CHECK(memcmp(one + apart, other, kPage) == 0);
    one[apart + 7] ^= 0x55;
    CHECK_EQUAL(one[apart + 7], other[7]);
    one[apart + 7] ^= 0x55;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "map_objects");
    const int kBoth = PROT_READ | PROT_WRITE;
    char *alone = map(kBoth, MAP_SHARED | MAP_ANONYMOUS, -1, 0, kBytes);
    fill(alone, kBytes, 1);
    char *twice = map(kBoth, MAP_SHARED | MAP_ANONYMOUS, -1, 0, kBytes);
    fill(twice, kBytes, 2);
    char *again = mremap(twice + 2 * kPage, 0, kBytes - 2 * kPage, MREMAP_MAYMOVE);
    CHECK(again != MAP_FAILED);

    int memory = memfd_create("case", 0);
    CHECK_EQUAL(ftruncate(memory, kBytes + 100), 0);
    char *first = map(kBoth, MAP_SHARED, memory, 0, kBytes);
    char *second = map(PROT_READ, MAP_SHARED, memory, 3 * kPage, kBytes);  // reaches behind the end
    fill(first, kBytes, 3);
    int closed = memfd_create("closed", 0);
    CHECK_EQUAL(ftruncate(closed, kBytes), 0);
    char *orphan = map(kBoth, MAP_SHARED, closed, 0, kBytes);
    fill(orphan, kBytes, 4);
    close(closed);

    int file = open(case_path("deleted"), O_RDWR | O_CREAT | O_EXCL, 0600);
    static char content[kBytes];
    fill(content, kBytes, 5);
    CHECK_EQUAL(write(file, content, kBytes), kBytes);
    char *shared = map(kBoth, MAP_SHARED, file, 0, kBytes);
    char *private = map(kBoth, MAP_PRIVATE, file, 0, kBytes);
    char *text = map(PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 4 * kPage, 4 * kPage);
    private[kPage] ^= 1;
    CHECK_EQUAL(unlink(case_path("deleted")), 0);
    watch(alone, kBytes);
    watch(twice, kBytes);
    watch(second, kBytes);
    watch(shared, kBytes);
    watch(text, 4 * kPage);
    ready();
    wait_for_go();

    expect(alone, kBytes, 1, "shared memory");
    expect(twice, kBytes, 2, "shared memory that is mapped twice");
    check_same(twice, again, 2 * kPage);
    expect(first, kBytes, 3, "memory of memfd_create");
    check_same(first, second, 3 * kPage);
    char byte = 0;
    CHECK_EQUAL(pread(memory, &byte, 1, 5), 1);
    CHECK_EQUAL(byte, first[5]);
    CHECK_EQUAL(lseek(memory, 0, SEEK_END), kBytes + 100);
    expect(orphan, kBytes, 4, "memory without a descriptor");
    expect(shared, kBytes, 5, "a deleted file, shared");
    CHECK_EQUAL(pwrite(file, "!", 1, 9), 1);
    CHECK_EQUAL(shared[9], '!');
    private[kPage] ^= 1;
    CHECK(memcmp(private + kPage, content + kPage, kBytes - kPage) == 0);
    CHECK(memcmp(text, content + 4 * kPage, 4 * kPage) == 0);
    return finish();
}
