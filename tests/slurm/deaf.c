/* deaf DIRECTORY RANK: that rank computes for ever, all others wait for it in a barrier, where they hear nothing.
 * Each makes DIRECTORY/ready.N before, and DIRECTORY/term.N in its handler of SIGTERM, which ends it. */
#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char ready[4096], term[4096];

static void make(const char *path) {
    if (close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) != 0) _exit(4);
}

static void on_term(int signal) {
    (void)signal;
    make(term);
    _exit(3);
}

int main(int argc, char **argv) {
    volatile unsigned long turns = 0;
    int rank;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc != 3) MPI_Abort(MPI_COMM_WORLD, 2);
    snprintf(ready, sizeof ready, "%s/ready.%d", argv[1], rank);
    snprintf(term, sizeof term, "%s/term.%d", argv[1], rank);
    signal(SIGTERM, on_term);
    make(ready);
    while (rank == atoi(argv[2])) ++turns;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
