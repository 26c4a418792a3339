// The program that the tests of failures run: it keeps a known state in memory, in a loaded library and behind an open
// file, and goes on communicating until it is told to stop and check everything.
//   steady MIB [plugin=LIBRARY] [file=PATH] [lock=PATH] [mpi=PATH] [vast]
// vast: also two reservations that lie next to each other and together are larger than the machine, so that the kernel
// refuses to copy the process.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kProgress = 4096, kFileBytes = 5000 };

static long (*plugin_step)(long);
static char file_content[kFileBytes];
static int file = -1;
static MPI_File shared = MPI_FILE_NULL;

static void load_plugin(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) fail("dlopen: %s", dlerror());
    *(void **)&plugin_step = dlsym(library, "plugin_step");
    if (!plugin_step) fail("dlsym: %s", dlerror());
}

static void open_file(const char *path) {
    file = open(path, O_RDONLY);
    if (file < 0) fail("cannot open %s", path);
    fill(file_content, sizeof file_content, 77);
    CHECK_EQUAL(lseek(file, 100, SEEK_SET), 100);
}

// A byte of it, which is this rank's.
static void lock_file(const char *path) {
    struct flock region = {.l_type = F_WRLCK, .l_start = rank, .l_len = 1};
    CHECK_EQUAL(fcntl(open(path, O_RDWR), F_SETLK, &region), 0);
}

static void open_shared(const char *path) {
    CHECK_EQUAL(MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_RDONLY, MPI_INFO_NULL, &shared), MPI_SUCCESS);
    fill(file_content, sizeof file_content, 77);
    MPI_File_seek(shared, 100, MPI_SEEK_SET);
}

static unsigned char *reserve(void *where, size_t bytes) {
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    void *got = mmap(where, bytes, PROT_READ | PROT_WRITE, how, -1, 0);
    if (got == MAP_FAILED) fail("cannot reserve %zu bytes", bytes);
    return got;
}

// Each half is less than the memory of the machine, which is what the kernel's default heuristic allows at a time.
static unsigned char *reserve_more_than_there_is(void) {
    const size_t half = ((size_t)sysconf(_SC_PHYS_PAGES) * 4096 / 4 * 3) & ~((size_t)(1 << 21) - 1);
    void *hole = mmap(NULL, 2 * half, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(hole != MAP_FAILED);
    CHECK_EQUAL(munmap(hole, 2 * half), 0);
    unsigned char *low = reserve(hole, half);
    low[0] = 1;  // before its neighbour comes: both then share one record of the kernel's and are charged as one
    reserve(low + half, half)[half - 1] = 2;
    return low;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "steady");
    const size_t bytes = (size_t)atol(argv[1]) << 20;
    unsigned char *memory = malloc(bytes), *vast = NULL;
    CHECK(memory != NULL);
    fill(memory, bytes, rank);
    for (int i = 2; i < argc; ++i) {
        if (strncmp(argv[i], "plugin=", 7) == 0) load_plugin(argv[i] + 7);
        if (strncmp(argv[i], "file=", 5) == 0) open_file(argv[i] + 5);
        if (strncmp(argv[i], "lock=", 5) == 0) lock_file(argv[i] + 5);
        if (strncmp(argv[i], "mpi=", 4) == 0) open_shared(argv[i] + 4);
        if (strcmp(argv[i], "vast") == 0) vast = reserve_more_than_there_is();
    }
    static uint64_t progress[kProgress];
    long rounds = 0, total = 0;
    const int left = (rank + size - 1) % size, right = (rank + 1) % size;
    ready();
    while (all_still_waiting(MPI_COMM_WORLD)) {
        long out = rounds * 1000 + rank, in = -1, sum = 0;
        MPI_Sendrecv(&out, 1, MPI_LONG, right, 1, &in, 1, MPI_LONG, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        CHECK_EQUAL(in, rounds * 1000 + left);
        MPI_Allreduce(&in, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        total += sum;
        progress[rounds % kProgress] = mix(rounds);
        if (plugin_step) CHECK_EQUAL(plugin_step(1), rounds + 1);
        ++rounds;
        nap();
    }

    CHECK(rounds > 0);
    CHECK_EQUAL(total, rounds * (rounds - 1) / 2 * 1000 * size + rounds * (size * (size - 1) / 2));
    for (long i = rounds > kProgress ? rounds - kProgress : 0; i < rounds; ++i)
        CHECK(progress[i % kProgress] == mix(i));
    expect(memory, bytes, rank, "the memory");
    if (vast) CHECK(vast[0] == 1);
    if (file >= 0) {
        char got[kFileBytes];
        CHECK_EQUAL(read(file, got, sizeof got), kFileBytes - 100);
        CHECK(memcmp(got, file_content + 100, kFileBytes - 100) == 0);
    }
    if (shared != MPI_FILE_NULL) {
        char got[kFileBytes - 100];
        CHECK_EQUAL(MPI_File_read(shared, got, sizeof got, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
        CHECK(memcmp(got, file_content + 100, kFileBytes - 100) == 0);
        MPI_File_close(&shared);
    }
    return finish();
}
