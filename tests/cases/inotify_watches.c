// inotify: numbers of watches are kept, also after some were removed, and events come from where they came from.
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testcase_mpi.h"

static void touch(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    close(fd);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "inotify_watches");
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char directory[4096];
    strcpy(directory, case_path("directory"));
    CHECK_EQUAL(mkdir(directory, 0700), 0);
    touch(case_path("file"));
    touch(case_path("other"));
    CHECK_EQUAL(inotify_add_watch(fd, directory, IN_CREATE), 1);
    CHECK_EQUAL(inotify_add_watch(fd, case_path("other"), IN_MODIFY), 2);
    CHECK_EQUAL(inotify_rm_watch(fd, 2), 0);
    CHECK_EQUAL(inotify_add_watch(fd, case_path("file"), IN_MODIFY), 3);
    union {
        struct inotify_event event;
        char bytes[4096];
    } got;
    CHECK_EQUAL(read(fd, &got, sizeof got), sizeof got.event);  // that 2 is gone
    CHECK_EQUAL(got.event.wd, 2);
    watch_descriptor(fd);
    ready();
    wait_for_go();

    CHECK_EQUAL(read(fd, &got, sizeof got), -1);
    touch(case_path("other"));
    touch(case_path("file"));
    CHECK_EQUAL(read(fd, &got, sizeof got), sizeof got.event);
    CHECK_EQUAL(got.event.wd, 3);
    CHECK_EQUAL(got.event.mask, IN_MODIFY);
    strcat(directory, "/new");
    touch(directory);
    CHECK(read(fd, &got, sizeof got) > (int)sizeof got.event);
    CHECK_EQUAL(got.event.wd, 1);
    CHECK(strcmp(got.event.name, "new") == 0);
    CHECK(inotify_add_watch(fd, case_path("other"), IN_MODIFY) > 3);
    return finish();
}
