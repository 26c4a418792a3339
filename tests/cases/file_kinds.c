// Files of all kinds that a program can have open: without a name from the start, with seals, with a removed name and
// another one, renamed, huge and sparse, read in the middle of a directory, without the page cache, about the process
// itself, devices; and an offset that a child, which has ended, has moved.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testcase_mpi.h"

static char directory[4096];

static int entries(DIR *list, int most) {
    int count = 0;
    while (count < most && readdir(list)) ++count;
    return count;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "file_kinds");
    enum { kFiles = 400 };
    char got[4096], name[5000];
    strcpy(directory, case_path("directory"));
    CHECK_EQUAL(mkdir(directory, 0700), 0);
    for (int i = 0; i < kFiles; ++i) {
        snprintf(name, sizeof name, "%s/%d", directory, i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    int nameless = open(directory, O_TMPFILE | O_RDWR, 0600);
    CHECK(nameless >= 0 || errno == EOPNOTSUPP);
    if (nameless >= 0) CHECK_EQUAL(write(nameless, "nameless", 8), 8);
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    CHECK_EQUAL(write(sealed, "sealed", 6), 6);
    CHECK_EQUAL(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
    int linked = open(case_path("first"), O_RDWR | O_CREAT, 0600);
    CHECK_EQUAL(write(linked, "linked", 6), 6);
    CHECK_EQUAL(link(case_path("first"), case_path("second")), 0);
    CHECK_EQUAL(unlink(case_path("first")), 0);
    int renamed = open(case_path("old"), O_RDWR | O_CREAT, 0600);
    CHECK_EQUAL(write(renamed, "renamed", 7), 7);
    CHECK_EQUAL(rename(case_path("old"), case_path("new")), 0);
    int huge = open(case_path("huge"), O_RDWR | O_CREAT, 0600);
    CHECK_EQUAL(pwrite(huge, "far", 3, 1LL << 34), 3);
    CHECK_EQUAL(lseek(huge, 1LL << 34, SEEK_SET), 1LL << 34);
    int direct = open(case_path("direct"), O_RDWR | O_CREAT | O_DIRECT, 0600);
    static char block[8192] __attribute__((aligned(4096)));
    memset(block, 'd', sizeof block);
    CHECK(direct >= 0 || errno == EINVAL);
    if (direct >= 0) CHECK_EQUAL(write(direct, block, 4096), 4096);
    int status = open("/proc/self/status", O_RDONLY), full = open("/dev/full", O_RDWR);
    DIR *list = opendir(directory);
    CHECK_EQUAL(entries(list, 5), 5);
    int shared = open(case_path("shared"), O_RDWR | O_CREAT, 0600);
    pid_t child = fork();
    if (child == 0) _exit(write(shared, "by the child", 12) != 12);
    int ended = -1;
    CHECK_EQUAL(waitpid(child, &ended, 0), child);
    CHECK_EQUAL(ended, 0);
    ready();
    wait_for_go();

    if (nameless >= 0) {
        CHECK_EQUAL(pread(nameless, got, sizeof got, 0), 8);
        CHECK(memcmp(got, "nameless", 8) == 0);
    }
    CHECK_EQUAL(pread(sealed, got, sizeof got, 0), 6);
    CHECK_EQUAL(fcntl(sealed, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK);
    CHECK_EQUAL(pwrite(sealed, "x", 1, 0), -1);
    CHECK_EQUAL(pread(linked, got, sizeof got, 0), 6);
    CHECK(memcmp(got, "linked", 6) == 0);
    CHECK_EQUAL(pread(renamed, got, sizeof got, 0), 7);
    CHECK_EQUAL(read(huge, got, sizeof got), 3);
    struct stat info;
    CHECK_EQUAL(fstat(huge, &info), 0);
    CHECK(info.st_blocks < 1000);
    if (direct >= 0) {
        CHECK(fcntl(direct, F_GETFL) & O_DIRECT);
        CHECK_EQUAL(write(direct, block, 4096), 4096);
        CHECK_EQUAL(pread(direct, block, 8192, 0), 8192);
    }
    ssize_t length = pread(status, got, sizeof got - 1, 0);
    got[length > 0 ? length : 0] = 0;
    CHECK(strstr(got, "file_kinds"));
    CHECK_EQUAL(write(full, got, 1), -1);
    CHECK_EQUAL(errno, ENOSPC);
    CHECK_EQUAL(entries(list, 2 * kFiles), kFiles + 2 - 5);
    closedir(list);
    CHECK_EQUAL(lseek(shared, 0, SEEK_CUR), 12);
    return finish();
}
