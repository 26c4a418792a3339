// System V shared memory between the ranks of a node: private, by a key, and removed while in use.  The ids that the
// program knows stay good.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kPart = 30001 };

typedef struct Shared {
    int id;
    char *memory;
} Shared;

static Shared attach(key_t key, int seed) {
    Shared shared;
    if (rank == 0) shared.id = shmget(key, (size_t)size * kPart, IPC_CREAT | IPC_EXCL | 0600);
    MPI_Bcast(&shared.id, 1, MPI_INT, 0, MPI_COMM_WORLD);
    CHECK(shared.id >= 0);
    shared.memory = shmat(shared.id, NULL, 0);
    CHECK(shared.memory != (void *)-1);
    fill(shared.memory + rank * kPart, kPart, seed + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    return shared;
}

static void check(Shared shared, int seed) {
    for (int other = 0; other < size; ++other)
        expect(shared.memory + other * kPart, kPart, seed + other, "a rank's part");
    MPI_Barrier(MPI_COMM_WORLD);
    fill(shared.memory + rank * kPart, kPart, seed + 100 + rank);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int other = 0; other < size; ++other)
        expect(shared.memory + other * kPart, kPart, seed + 100 + other, "a rank's part, changed");
    MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "shm_sysv");
    key_t key = ftok(getenv("SCKPT_CASE_DIR"), 'c');
    CHECK(key != -1);
    Shared private = attach(IPC_PRIVATE, 1000), keyed = attach(key, 2000), removed = attach(IPC_PRIVATE, 3000);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) CHECK_EQUAL(shmctl(removed.id, IPC_RMID, NULL), 0);
    char *view = shmat(private.id, NULL, SHM_RDONLY);
    CHECK(view != (void *)-1);
    watch(private.memory, 4096);
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    check(private, 1000);
    check(keyed, 2000);
    check(removed, 3000);
    expect(view, kPart, 1100, "the same once more, read only");
    struct shmid_ds state;
    CHECK_EQUAL(shmctl(private.id, IPC_STAT, &state), 0);
    CHECK_EQUAL(state.shm_segsz, (size_t)size * kPart);
    CHECK_EQUAL(state.shm_nattch, (shmatt_t)(2 * size));
    CHECK_EQUAL(shmget(key, 0, 0), keyed.id);
    MPI_Barrier(MPI_COMM_WORLD);
    char *again = shmat(private.id, NULL, 0);
    CHECK(again != (void *)-1);
    expect(again, kPart, 1100, "attached again");
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(shmdt(private.memory), 0);
    CHECK_EQUAL(shmdt(removed.memory), 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) CHECK_EQUAL(shmctl(private.id, IPC_RMID, NULL), 0);
    if (rank == 0) CHECK_EQUAL(shmctl(keyed.id, IPC_RMID, NULL), 0);
    return finish();
}
