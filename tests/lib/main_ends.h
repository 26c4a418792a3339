// For cases whose main thread ends by pthread_exit(3) while others go on.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "testcase.h"

// As the kernel has it: its first thread is a zombie.  Not what is to be restored: a descriptor is open meanwhile.
static inline bool main_has_ended(void) {
    char text[512];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("cannot open /proc/self/stat");
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) fail("cannot read /proc/self/stat");
    text[length] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && name_end[2] == 'Z';
}

static inline void await_end_of_main(void) {
    for (int naps = 0; !main_has_ended(); ++naps) {
        if (naps > 5000) fail("the main thread has not ended within ten seconds");
        nap();
    }
}
