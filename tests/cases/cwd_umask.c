// Working directory, umask and a soft resource limit.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "cwd_umask");
    char directory[4096], got[4096];
    snprintf(directory, sizeof directory, "%s", case_path("here"));
    CHECK_EQUAL(mkdir(directory, 0700), 0);
    CHECK_EQUAL(chdir(directory), 0);
    umask(0137);
    struct rlimit limit, now;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 777;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ready();
    wait_for_go();

    CHECK(getcwd(got, sizeof got) != NULL);
    if (strcmp(got, directory) != 0) fail("the working directory is %s, should be %s", got, directory);
    int fd = open("relative", O_WRONLY | O_CREAT, 0666);
    struct stat info;
    CHECK(fd >= 0 && fstat(fd, &info) == 0);
    CHECK_EQUAL(info.st_mode & 0777, 0640);
    getrlimit(RLIMIT_NOFILE, &now);
    CHECK_EQUAL(now.rlim_cur, 777);
    CHECK_EQUAL(now.rlim_max, limit.rlim_max);
    return finish();
}
