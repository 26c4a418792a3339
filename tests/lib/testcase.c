#define _GNU_SOURCE
#include "testcase.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char case_name[64];
static char directory[PATH_MAX / 2];
static char go_file[PATH_MAX];
static char requested_file[PATH_MAX];
static int rank;
static char *told;
static size_t told_length;

static int number_from_environment(void) {
    const char *const names[] = {"PMIX_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        const char *value = getenv(names[i]);
        if (value) return atoi(value);
    }
    return 0;
}

// The runner sees a file complete or not at all.
static void write_file(const char *leaf, const char *text) {
    char temporary[PATH_MAX], final[PATH_MAX];
    snprintf(final, sizeof final, "%s/%s.%d", directory, leaf, rank);
    snprintf(temporary, sizeof temporary, "%s/.%s.%d.new", directory, leaf, rank);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0 ||
        rename(temporary, final) != 0) {
        dprintf(2, "%s: cannot write %s: %s\n", case_name, final, strerror(errno));
        _exit(3);
    }
}

void begin(const char *name) {
    const char *value = getenv("SCKPT_CASE_DIR");
    if (!value || value[0] != '/' || strlen(value) >= sizeof directory) {
        dprintf(2, "%s: SCKPT_CASE_DIR is not an absolute path; start this program with tests/run.py --case %s\n", name,
                name);
        _exit(3);
    }
    snprintf(case_name, sizeof case_name, "%s", name);
    snprintf(directory, sizeof directory, "%s", value);
    snprintf(go_file, sizeof go_file, "%s/go", directory);
    snprintf(requested_file, sizeof requested_file, "%s/requested", directory);
    rank = number_from_environment();
    char begun[PATH_MAX];
    snprintf(begun, sizeof begun, "%s/begun.%d", directory, rank);
    int fd = open(begun, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) fail("the program was started from its beginning instead of being restored");
    if (fd < 0 || close(fd) != 0) fail("cannot create %s: %s", begun, strerror(errno));
}

void ready(void) {
    char text[32];
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    write_file("ready", text);
}

static void announce(const char *what, const char *line, int length) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.%d", directory, what, rank);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, length) != length || close(fd) != 0) fail("cannot write %s", path);
}

void watch(const void *start, size_t bytes) {
    char line[64];
    announce("watched", line, snprintf(line, sizeof line, "%lx-%lx\n", (unsigned long)start, (unsigned long)start + bytes));
}

void watch_descriptor(int number) {
    char line[16];
    announce("descriptors", line, snprintf(line, sizeof line, "%d\n", number));
}

static long raw_syscall(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}

bool still_waiting(void) { return raw_syscall(SYS_access, (long)go_file, F_OK, 0, 0) != 0; }

bool requested(void) { return raw_syscall(SYS_access, (long)requested_file, F_OK, 0, 0) == 0; }

void nap(void) {
    struct timespec left = {0, 2000000};
    while (raw_syscall(SYS_nanosleep, (long)&left, (long)&left, 0, 0) == -EINTR)
        ;
}

void wait_for_go(void) {
    while (still_waiting()) nap();
}

void tell(const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line - 1) fail("a line to tell is too long: %.100s", line);
    line[length++] = '\n';
    told = realloc(told, told_length + length + 1);
    memcpy(told + told_length, line, length);
    told_length += length;
    told[told_length] = '\0';
}

int pass(void) {
    if (told) write_file("told", told);
    write_file("result", "pass\n");
    return 0;
}

void fail(const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dprintf(2, "%s: rank %d: %s\n", case_name, rank, text);
    write_file("result", text);
    _exit(1);
}

void fail_with(const char *sentence) { fail("%s", sentence); }

int case_rank(void) { return rank; }

const char *case_path(const char *leaf) {
    static char path[4][PATH_MAX];
    static unsigned next;
    char *result = path[next++ % 4];
    snprintf(result, PATH_MAX, "%s/%s.rank%d", directory, leaf, rank);
    return result;
}

uint64_t mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

void fill(void *buffer, size_t bytes, uint64_t seed) {
    unsigned char *out = buffer;
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = mix(seed * 0x100000001b3u + i);
        memcpy(out + i, &word, bytes - i < 8 ? bytes - i : 8);
    }
}

void expect(const void *buffer, size_t bytes, uint64_t seed, const char *what) {
    const unsigned char *in = buffer;
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = mix(seed * 0x100000001b3u + i);
        size_t length = bytes - i < 8 ? bytes - i : 8;
        if (memcmp(in + i, &word, length) == 0) continue;
        const unsigned char *wanted = (const unsigned char *)&word;
        size_t k = 0;
        while (in[i + k] == wanted[k]) ++k;
        fail("%s: byte %zu of %zu is %#04x, should be %#04x", what, i + k, bytes, in[i + k], wanted[k]);
    }
}
