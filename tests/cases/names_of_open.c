// Every name under which glibc opens a file or makes a descriptor: what each of them made is there again, with its
// place and its content.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

// What the compiler puts in their place when it checks sizes.
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

enum { kMost = 32 };
static struct {
    int fd;
    ino_t inode;
    mode_t type;
} made[kMost];
static int count;

static int keep(int fd) {
    struct stat info;
    CHECK(fd >= 0);
    CHECK_EQUAL(fstat(fd, &info), 0);
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY && S_ISREG(info.st_mode))
        CHECK_EQUAL(write(fd, &count, sizeof count), sizeof count);
    made[count].fd = fd;
    made[count].inode = info.st_ino;
    made[count++].type = info.st_mode & S_IFMT;
    return fd;
}
static FILE *keep_stream(FILE *stream) {
    CHECK(stream != NULL);
    keep(fileno(stream));
    return stream;
}
int main(int argc, char **argv) {
    start(&argc, &argv, "names_of_open");
    const int how = O_RDWR | O_CREAT;
    int directory = open("/", O_RDONLY | O_DIRECTORY), ends[2];
    keep(open(case_path("open"), how, 0600));
    keep(open64(case_path("open64"), how, 0600));
    keep(openat(directory, case_path("openat"), how, 0600));
    keep(openat64(directory, case_path("openat64"), how, 0600));
    keep(creat(case_path("creat"), 0600));
    keep(creat64(case_path("creat64"), 0600));
    keep(__open_2(case_path("open"), O_RDWR));
    keep(__open64_2(case_path("open64"), O_RDWR));
    keep(__openat_2(directory, case_path("openat"), O_RDWR));
    keep(__openat64_2(directory, case_path("openat64"), O_RDWR));
    keep_stream(fopen(case_path("fopen"), "w+"));
    keep_stream(fopen64(case_path("fopen64"), "w+"));
    keep_stream(freopen(case_path("freopen"), "w+", fopen("/dev/null", "r")));
    keep_stream(freopen64(case_path("freopen64"), "w+", fopen("/dev/null", "r")));
    // These end in XXXXXX, not in the rank.
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s.XXXXXX", case_path("temporary"));
    keep(mkstemp(pattern));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX", case_path("temporary"));
    keep(mkstemp64(pattern));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX", case_path("temporary"));
    keep(mkostemp(pattern, O_APPEND));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX", case_path("temporary"));
    keep(mkostemp64(pattern, O_APPEND));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX.end", case_path("temporary"));
    keep(mkstemps(pattern, 4));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX.end", case_path("temporary"));
    keep(mkstemps64(pattern, 4));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX.end", case_path("temporary"));
    keep(mkostemps(pattern, 4, O_APPEND));
    snprintf(pattern, sizeof pattern, "%s.XXXXXX.end", case_path("temporary"));
    keep(mkostemps64(pattern, 4, O_APPEND));
    FILE *temporary = tmpfile(), *temporary64 = tmpfile64();
    CHECK(temporary && temporary64 && fputs("temporary", temporary) >= 0 && fflush(temporary) == 0);
    snprintf(pattern, sizeof pattern, "/sckpt-case-%d-%d", (int)getpid(), rank);
    int shared = shm_open(pattern, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK_EQUAL(write(shared, "shared", 6), 6);
    CHECK_EQUAL(shm_unlink(pattern), 0);
    int terminal = posix_openpt(O_RDWR | O_NOCTTY), set = epoll_create(1), watches = inotify_init();
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(dup3(ends[1], 100, O_CLOEXEC), 100);
    CHECK_EQUAL(fcntl64(ends[0], F_SETFL, O_NONBLOCK), 0);
    ready();
    wait_for_go();

    for (int i = 0; i < count; ++i) {
        struct stat info;
        CHECK_EQUAL(fstat(made[i].fd, &info), 0);
        CHECK_EQUAL(info.st_ino, made[i].inode);
        CHECK_EQUAL(info.st_mode & S_IFMT, made[i].type);
        int number = -1;
        CHECK_EQUAL(lseek(made[i].fd, 0, SEEK_CUR), sizeof number);
        if ((fcntl(made[i].fd, F_GETFL) & O_ACCMODE) == O_RDWR && i > 9) {
            CHECK_EQUAL(pread(made[i].fd, &number, sizeof number, 0), sizeof number);
            CHECK_EQUAL(number, i);
        }
    }
    char got[16] = "";
    CHECK_EQUAL(pread(fileno(temporary), got, sizeof got, 0), 9);
    CHECK_EQUAL(pread(shared, got, sizeof got, 0), 6);
    CHECK(fstat(fileno(temporary64), &(struct stat){0}) == 0);
    CHECK(grantpt(terminal) == 0 && unlockpt(terminal) == 0 && ptsname(terminal) != NULL);
    struct epoll_event event;
    CHECK_EQUAL(epoll_wait(set, &event, 1, 0), 0);
    CHECK(inotify_add_watch(watches, "/", IN_DELETE_SELF) > 0);
    CHECK_EQUAL(write(100, "z", 1), 1);
    CHECK_EQUAL(read(ends[0], got, 2), 1);
    CHECK_EQUAL(fcntl(100, F_GETFD), FD_CLOEXEC);
    return finish();
}
