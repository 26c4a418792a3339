// Locks of all three kinds are held again: of a process, of a description, of a whole file; and on a deleted file.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testcase_mpi.h"

static void lock(int fd, int command, int type, long start, long length) {
    struct flock region = {.l_type = type, .l_start = start, .l_len = length};
    CHECK_EQUAL(fcntl(fd, command, &region), 0);
}

// As another process finds it: F_RDLCK, F_WRLCK or F_UNLCK.
static int held(int fd, long start) {
    pid_t child = fork();
    if (child == 0) {
        struct flock region = {.l_type = F_WRLCK, .l_start = start, .l_len = 1};
        _exit(fcntl(fd, F_GETLK, &region) ? 99 : region.l_type);
    }
    int status = -1;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "file_locks");
    char path[4096];
    int process = open(case_path("process"), O_RDWR | O_CREAT, 0600), own = open(case_path("own"), O_RDWR | O_CREAT, 0600);
    int whole = open(case_path("whole"), O_RDWR | O_CREAT, 0600), gone = open(case_path("gone"), O_WRONLY | O_CREAT, 0600);
    CHECK_EQUAL(write(gone, "data", 4), 4);
    CHECK_EQUAL(unlink(case_path("gone")), 0);
    lock(process, F_SETLK, F_WRLCK, 10, 5);
    lock(process, F_SETLK, F_RDLCK, 100, 0);
    lock(own, F_OFD_SETLK, F_WRLCK, 3, 4);
    lock(gone, F_SETLK, F_WRLCK, 0, 0);
    CHECK_EQUAL(flock(whole, LOCK_SH), 0);
    watch_descriptor(process);
    watch_descriptor(own);
    watch_descriptor(whole);
    watch_descriptor(gone);
    ready();
    wait_for_go();

    CHECK_EQUAL(held(process, 9), F_UNLCK);
    CHECK_EQUAL(held(process, 10), F_WRLCK);
    CHECK_EQUAL(held(process, 14), F_WRLCK);
    CHECK_EQUAL(held(process, 15), F_UNLCK);
    CHECK_EQUAL(held(process, 1 << 20), F_RDLCK);
    CHECK_EQUAL(held(own, 6), F_WRLCK);
    CHECK_EQUAL(held(own, 7), F_UNLCK);
    CHECK_EQUAL(held(gone, 0), F_WRLCK);
    snprintf(path, sizeof path, "/proc/self/fd/%d", whole);
    int other = open(path, O_RDWR);
    CHECK_EQUAL(flock(other, LOCK_SH | LOCK_NB), 0);
    CHECK_EQUAL(flock(other, LOCK_EX | LOCK_NB), -1);
    CHECK_EQUAL(errno, EWOULDBLOCK);
    return finish();
}
