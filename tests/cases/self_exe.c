// The program finds itself by /proc/self/exe: a link that names another program once it has been restored.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

static char program[PATH_MAX];
static struct stat file;

static void check_same_file(int fd, const char *how) {
    struct stat found;
    CHECK(fd >= 0 && fstat(fd, &found) == 0);
    if (found.st_dev != file.st_dev || found.st_ino != file.st_ino) fail("%s opens another file", how);
    close(fd);
}

static void check_path(const char *path, const char *how) {
    if (!path || strcmp(path, program) != 0) fail("%s gives %s, should be %s", how, path ? path : "nothing", program);
}

static void look(const char *link) {
    char text[PATH_MAX], *path;
    memset(text, 0, sizeof text);
    CHECK_EQUAL(readlink(link, text, sizeof text), strlen(program));
    check_path(text, "readlink");
    memset(text, 0, sizeof text);
    CHECK_EQUAL(readlink(link, text, 5), 5);
    CHECK(strlen(text) == 5 && strncmp(text, program, 5) == 0);
    memset(text, 0, sizeof text);
    CHECK_EQUAL(readlinkat(AT_FDCWD, link, text, sizeof text), strlen(program));
    check_path(text, "readlinkat");
    check_path(realpath(link, text), "realpath");
    path = canonicalize_file_name(link);
    check_path(path, "canonicalize_file_name");
    free(path);
    check_same_file(open(link, O_RDONLY), "open");
    check_same_file(openat(AT_FDCWD, link, O_RDONLY), "openat");
    FILE *stream = fopen(link, "r");
    CHECK(stream != NULL);
    check_same_file(dup(fileno(stream)), "fopen");
    fclose(stream);
}

static void look_everywhere(void) {
    char by_pid[64], text[PATH_MAX];
    snprintf(by_pid, sizeof by_pid, "/proc/%d/exe", getpid());
    look("/proc/self/exe");
    look(by_pid);
    // Another link, and one that does not exist, are left to the kernel.
    CHECK(readlink("/proc/self/cwd", text, sizeof text) > 0);
    CHECK_EQUAL(readlink("/proc/self/exe/none", text, sizeof text), -1);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "self_exe");
    CHECK(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    CHECK(strcmp(strrchr(program, '/'), "/self_exe") == 0);
    CHECK_EQUAL(stat(program, &file), 0);
    look_everywhere();
    ready();
    wait_for_go();
    look_everywhere();
    return finish();
}
