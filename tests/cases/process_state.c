// What the kernel keeps about the process as a whole and the program has changed: limits, priorities, prctl, the
// personality, memory that is locked as soon as it is mapped; and the auxiliary vector as /proc shows it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/ioprio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

static long number_in(const char *path) {
    char text[64] = "";
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return strtol(text, NULL, 10);
}

static long bytes_of(const char *path, char *to, size_t size) {
    int fd = open(path, O_RDONLY);
    long length = read(fd, to, size);
    close(fd);
    return length;
}

static bool locks_future(void) {
    unsigned char there;
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED && mincore(page, 4096, &there) == 0);
    munmap(page, 4096);
    return there & 1;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "process_state");
    static char vector[2048], now[2048], command[4096], line[4096];
    const long length = bytes_of("/proc/self/auxv", vector, sizeof vector);
    const long words = bytes_of("/proc/self/cmdline", command, sizeof command);
    const struct rlimit limit = {100, 300};
    const int score = open("/proc/self/oom_score_adj", O_WRONLY);
    int value = 0;
    CHECK_EQUAL(setrlimit(RLIMIT_CORE, &limit), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, 3), 0);
    CHECK_EQUAL(syscall(SYS_ioprio_set, 1, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6)), 0);
    CHECK(personality(personality(0xffffffff) | UNAME26) != -1);
    CHECK_EQUAL(prctl(PR_SET_PDEATHSIG, SIGUSR2), 0);
    CHECK_EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    CHECK_EQUAL(prctl(PR_SET_TIMERSLACK, 123456), 0);
    CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQUAL(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    CHECK_EQUAL(prctl(PR_SET_NAME, "renamed"), 0);
    CHECK_EQUAL(write(score, "321", 3), 3);
    close(score);
    CHECK_EQUAL(mlockall(MCL_FUTURE), 0);
    CHECK(locks_future());
    ready();
    wait_for_go();

    struct rlimit limit_now;
    CHECK_EQUAL(getrlimit(RLIMIT_CORE, &limit_now), 0);
    CHECK(limit_now.rlim_cur == 100 && limit_now.rlim_max == 300);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 3);
    CHECK_EQUAL(syscall(SYS_ioprio_get, 1, 0), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
    CHECK(personality(0xffffffff) & UNAME26);
    CHECK_EQUAL(prctl(PR_GET_PDEATHSIG, &value), 0);
    CHECK_EQUAL(value, SIGUSR2);
    CHECK_EQUAL(prctl(PR_GET_CHILD_SUBREAPER, &value), 0);
    CHECK_EQUAL(value, 1);
    CHECK_EQUAL(prctl(PR_GET_TIMERSLACK), 123456);
    CHECK_EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_EQUAL(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
    CHECK_EQUAL(number_in("/proc/self/oom_score_adj"), 321);
    bytes_of("/proc/self/comm", line, sizeof line);
    CHECK(strncmp(line, "renamed\n", 8) == 0);
    CHECK(locks_future());
    CHECK_EQUAL(bytes_of("/proc/self/auxv", now, sizeof now), length);
    CHECK(memcmp(now, vector, length) == 0);
    CHECK_EQUAL(bytes_of("/proc/self/cmdline", line, sizeof line), words);
    CHECK(memcmp(line, command, words) == 0);
    return finish();
}
