// Frame of a case that uses MPI: start(), the case, return finish().
#pragma once

#include <mpi.h>

#include "testcase.h"

static int rank, size;

static inline void start(int *argc, char ***argv, const char *name) {
    MPI_Init(argc, argv);
    begin(name);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
}

// Like still_waiting(), but the same answer in all ranks of the communicator: rank 0 of it looks, the others are told.
static inline bool all_still_waiting(MPI_Comm comm) {
    int mine, more = 0;
    MPI_Comm_rank(comm, &mine);
    if (mine == 0) more = still_waiting();
    MPI_Bcast(&more, 1, MPI_INT, 0, comm);
    return more;
}

// Fails unless this communicator still carries collectives among exactly `members` ranks.
static inline void check_comm(MPI_Comm comm, int members) {
    int mine, count, sum = 0;
    MPI_Comm_rank(comm, &mine);
    MPI_Comm_size(comm, &count);
    CHECK_EQUAL(count, members);
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, comm);
    CHECK_EQUAL(sum, members * (members - 1) / 2);
}

// Also proves that the world is whole: an MPI that lost a message or a rank does not come past this.
static inline int finish(void) {
    check_comm(MPI_COMM_WORLD, size);
    MPI_Finalize();
    return pass();
}
