// A private file mapping, one page of it written: the written page and the file's bytes both as they were.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kPages = 5, kPage = 4096 };

int main(int argc, char **argv) {
    start(&argc, &argv, "map_file_private");
    static char content[kPages * kPage];
    fill(content, sizeof content, rank);
    int fd = open(case_path("mapped"), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK_EQUAL(write(fd, content, sizeof content), sizeof content);
    char *map = mmap(NULL, sizeof content, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *second = mmap(NULL, 2 * kPage, PROT_READ, MAP_PRIVATE, fd, 3 * kPage);
    CHECK(map != MAP_FAILED && second != MAP_FAILED);
    close(fd);
    memset(map + kPage, 'x', kPage);
    ready();
    wait_for_go();

    memcpy(content, map, sizeof content);
    for (int i = 0; i < kPage; ++i) CHECK_EQUAL(map[kPage + i], 'x');
    fill(content, sizeof content, rank);
    CHECK(memcmp(map, content, kPage) == 0);
    CHECK(memcmp(map + 2 * kPage, content + 2 * kPage, 3 * kPage) == 0);
    CHECK(memcmp(second, content + 3 * kPage, 2 * kPage) == 0);
    map[0] = ~map[0];
    fd = open(case_path("mapped"), O_RDONLY);
    static char file[sizeof content];
    CHECK_EQUAL(read(fd, file, sizeof file), sizeof file);
    expect(file, sizeof file, rank, "the file under a private mapping");
    return finish();
}
