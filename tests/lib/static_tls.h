// Uses up ld.so's space for static thread-local data (see tests/cases/plugin/static_tls.c).
#pragma once

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testcase.h"

enum { kMostCopies = 64, kLarge = 256, kSmall = 16 };
static struct {
    char *data;
    int bytes;
} tls[kMostCopies];

// Loads another copy of the library; 0 when ld.so has no space for it.  In the case's directory, which begin() need not
// know yet.
static inline int load_tls(int number, int bytes) {
    const char *directory = getenv("SCKPT_CASE_DIR");
    char program[PATH_MAX / 2], copy[PATH_MAX], command[3 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (!directory || length < 0) abort();
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    snprintf(copy, sizeof copy, "%s/libtls.%d.%d.%d.so", directory, (int)getpid(), number, bytes);
    snprintf(command, sizeof command, "cp '%s/lib/libcase_static_tls%d.so' '%s'", program, bytes, copy);
    if (access(copy, R_OK) != 0 && system(command) != 0) abort();
    void *library = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
    if (!library) return 0;
    char *(*data)(void);
    *(void **)&data = dlsym(library, "static_tls_data");
    tls[number].data = data();
    tls[number].data[0] = (char)number;
    tls[number].bytes = bytes;
    return 1;
}

// Loads large ones while they fit, then small ones; returns how many bytes they got.
static inline int use_up_static_tls(void) {
    int count = 0, all = 0;
    for (int bytes = kLarge; bytes >= kSmall; bytes = bytes == kLarge ? kSmall : 0)
        while (count < kMostCopies && load_tls(count, bytes)) ++count, all += bytes;
    if (count == kMostCopies) abort();
    return all;
}

// True while all of them are as they were left.
static inline bool static_tls_right(void) {
    bool right = true;
    for (int i = 0; tls[i].bytes; ++i) right &= tls[i].data[0] == (char)i && tls[i].data[tls[i].bytes - 1] == 1;
    return right;
}
