/* A program without MPI for the end-to-end tests: serial STEPS FILE PACE_MS.
 *
 * Each step changes a state on which all later ones depend.  The task writes `step N VALUE` to FILE.<task> and, at the
 * end, `finished STEPS VALUE`; FILE.<task>.starts gets a line each time that main() begins. */
#include <errno.h>
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

static FILE *open_or_end(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);

    if (file == NULL) {
        fprintf(stderr, "serial: cannot open %s: %s\n", path, strerror(errno));
        exit(1);
    }
    return file;
}

static void say(FILE *file, const char *word, long step, uint64_t value) {
    if (fprintf(file, "%s %ld %016llx\n", word, step, (unsigned long long)value) < 0 || fflush(file) != 0) {
        fprintf(stderr, "serial: cannot write: %s\n", strerror(errno));
        exit(1);
    }
}

int main(int argc, char **argv) {
    const char *number = getenv("SLURM_PROCID");
    const long task = number ? atol(number) : 0;
    char path[4096];
    struct timespec pace;
    uint64_t state = (uint64_t)task + 1;
    long steps, milliseconds;
    FILE *file;

    if (argc != 4) {
        fprintf(stderr, "usage: serial STEPS FILE PACE_MS\n");
        return 2;
    }
    steps = atol(argv[1]);
    milliseconds = atol(argv[3]);
    pace.tv_sec = milliseconds / 1000;
    pace.tv_nsec = milliseconds % 1000 * 1000000;
    snprintf(path, sizeof path, "%s.%ld.starts", argv[2], task);
    file = open_or_end(path, "a");
    say(file, "started", task, 0);
    fclose(file);
    snprintf(path, sizeof path, "%s.%ld", argv[2], task);
    file = open_or_end(path, "w");
    for (long step = 1; step <= steps; ++step) {
        state = mix(state + (uint64_t)step);
        say(file, "step", step, state);
        nanosleep(&pace, NULL);
    }
    say(file, "finished", steps, state);
    return fclose(file) == 0 ? 0 : 1;
}
