// POSIX shared memory between the ranks of a node, by its name and after shm_unlink: stored once, shared again.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kPart = 40000 };

static char *attach(const char *name, size_t bytes, int *fd) {
    for (int turn = 0; turn < 2; ++turn) {  // rank 0 makes it
        if ((rank == 0) == (turn == 0)) *fd = shm_open(name, O_RDWR | (rank == 0 ? O_CREAT | O_EXCL : 0), 0600);
        if (turn == 0 && rank == 0) CHECK_EQUAL(ftruncate(*fd, bytes), 0);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    CHECK(*fd >= 0 && memory != MAP_FAILED);
    return memory;
}

static void check_shared(char *memory, int seed) {
    for (int other = 0; other < size; ++other) expect(memory + other * kPart, kPart, seed + other, "a rank's part");
    MPI_Barrier(MPI_COMM_WORLD);
    fill(memory + rank * kPart, kPart, seed + 100 + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int other = 0; other < size; ++other)
        expect(memory + other * kPart, kPart, seed + 100 + other, "a rank's part, changed");
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "shm_posix");
    char name[64], gone[64];
    long id = getpid();
    MPI_Bcast(&id, 1, MPI_LONG, 0, MPI_COMM_WORLD);
    snprintf(name, sizeof name, "/sckpt-case.%ld", id);
    snprintf(gone, sizeof gone, "/sckpt-case.gone.%ld", id);
    int named_fd, gone_fd;
    char *named = attach(name, (size_t)size * kPart, &named_fd),
         *unlinked = attach(gone, (size_t)size * kPart, &gone_fd);
    if (rank == 0) CHECK_EQUAL(shm_unlink(gone), 0);
    if (rank % 2) close(gone_fd);
    fill(named + rank * kPart, kPart, 1000 + rank);
    fill(unlinked + rank * kPart, kPart, 2000 + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    check_shared(named, 1000);
    check_shared(unlinked, 2000);
    int again = shm_open(name, O_RDWR, 0);
    CHECK(again >= 0);
    char byte = 0;
    CHECK_EQUAL(pread(again, &byte, 1, 17), 1);
    CHECK_EQUAL(byte, named[17]);
    if (rank % 2 == 0) {
        CHECK_EQUAL(pread(gone_fd, &byte, 1, 19), 1);
        CHECK_EQUAL(byte, unlinked[19]);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) CHECK_EQUAL(shm_unlink(name), 0);
    return finish();
}
