/* A program that cannot be checkpointed, for one reason or another: built static, with sanitizers, or run by valgrind.
 * What it prints, what a checker finds in it (memory that was never set, and memory that is lost) and how it ends has
 * to be as without us.  With MPI or, defined WITHOUT_MPI, without. */
#ifndef WITHOUT_MPI
#include <mpi.h>
#endif
#include <stdio.h>
#include <stdlib.h>

#include "testcase.h"

static char *volatile lost;

int main(int argc, char **argv) {
    int sum = 1;
    begin("runs_on");
#ifndef WITHOUT_MPI
    MPI_Init(&argc, &argv);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
#endif
    int *volatile unset = malloc(4 * sizeof *unset);
    puts(unset[2] & 1 ? "begun" : "begun ");
    free(unset);
    lost = malloc(100);
    lost = NULL;
    fflush(stdout);
    ready();
    wait_for_go();
    printf("sum %d\n", sum);
#ifndef WITHOUT_MPI
    MPI_Finalize();
#endif
    pass();
    return argc > 1 ? atoi(argv[1]) : 0;
}
