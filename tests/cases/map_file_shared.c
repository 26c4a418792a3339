// A shared file mapping that is written all the time: at the cut it agrees with private memory, so it must afterwards.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kWords = 4096 };

int main(int argc, char **argv) {
    start(&argc, &argv, "map_file_shared");
    static long private_copy[kWords];
    int fd = open(case_path("shared"), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK_EQUAL(ftruncate(fd, sizeof private_copy), 0);
    volatile long *map = mmap(NULL, sizeof private_copy, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    ready();
    for (long step = 0; still_waiting(); ++step) {
        int at = mix(step) % kWords;
        CHECK_EQUAL(map[at], private_copy[at]);
        private_copy[at] = step;
        map[at] = step;
    }
    for (int i = 0; i < kWords; ++i) {
        long in_file;
        CHECK_EQUAL(pread(fd, &in_file, sizeof in_file, i * sizeof in_file), sizeof in_file);
        CHECK_EQUAL(map[i], private_copy[i]);
        CHECK_EQUAL(in_file, private_copy[i]);
    }
    return finish();
}
