/* The program of the end-to-end tests: counter STEPS FILE PACE_MS.
 *
 * Every step mixes each rank's state with its left neighbour's, with a sum over all ranks and with the state of a root
 * that changes from step to step, so each line depends on every step before it, on every rank and on every message: a
 * step that is lost, doubled or computed from other data changes all that follows.  Rank 0 writes `step N VALUE` to
 * FILE and to standard output, at the end `finished STEPS CHECKSUM`.  The values do not depend on PACE_MS, the length
 * of a step.  FILE.starts gets a line each time that main() begins: a restored program adds none. */
#include <errno.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u; /* splitmix64 */
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void fail(const char *what, const char *path) {
    fprintf(stderr, "counter: %s %s: %s\n", what, path, strerror(errno));
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void note_start(const char *file) {
    char path[4096];
    FILE *starts;

    snprintf(path, sizeof path, "%s.starts", file);
    starts = fopen(path, "a");
    if (starts == NULL || fputs("started\n", starts) < 0 || fclose(starts) != 0) fail("cannot write", path);
}

static void say(FILE *file, const char *path, const char *word, long step, uint64_t value) {
    if (fprintf(file, "%s %ld %016llx\n", word, step, (unsigned long long)value) < 0 || fflush(file) != 0)
        fail("cannot write", path);
    printf("%s %ld %016llx\n", word, step, (unsigned long long)value);
    fflush(stdout);
}

static uint64_t sum_of(uint64_t state) {
    uint64_t sum = 0;

    MPI_Allreduce(&state, &sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

static uint64_t one_step(long step, int rank, int size, uint64_t *state) {
    const int root = (int)(step % size);
    uint64_t left = 0, total, common;

    MPI_Sendrecv(state, 1, MPI_UINT64_T, (rank + 1) % size, 7, &left, 1, MPI_UINT64_T, (rank + size - 1) % size, 7,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *state = mix(*state + 3 * left + (uint64_t)step);
    total = sum_of(*state);
    common = *state;
    MPI_Bcast(&common, 1, MPI_UINT64_T, root, MPI_COMM_WORLD);
    *state ^= mix(common + total);
    return total;
}

int main(int argc, char **argv) {
    FILE *file = NULL;
    struct timespec pace;
    uint64_t state, value;
    long steps, milliseconds;
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc != 4) {
        if (rank == 0) fprintf(stderr, "usage: counter STEPS FILE PACE_MS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    steps = atol(argv[1]);
    milliseconds = atol(argv[3]);
    pace.tv_sec = milliseconds / 1000;
    pace.tv_nsec = milliseconds % 1000 * 1000000;
    if (rank == 0) {
        note_start(argv[2]);
        file = fopen(argv[2], "w");
        if (file == NULL) fail("cannot open", argv[2]);
    }
    state = mix((uint64_t)rank + 1);
    for (long step = 1; step <= steps; ++step) {
        value = one_step(step, rank, size, &state);
        if (rank == 0) say(file, argv[2], "step", step, value);
        nanosleep(&pace, NULL);
    }
    value = sum_of(state);
    if (rank == 0) {
        say(file, argv[2], "finished", steps, value);
        if (fclose(file) != 0) fail("cannot write", argv[2]);
    }
    MPI_Finalize();
    return 0;
}
