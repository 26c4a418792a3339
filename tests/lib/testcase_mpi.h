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

// Works for some tenths of a second without calling MPI or the system, and fails when it did not compute what it
// should. Bounded, unlike a loop until go: a rank that others wait for in a collective must get there for a checkpoint
// to come.
static inline void compute_a_while(void) {
    enum { kSteps = 20000000 };
    uint64_t once = rank, again = rank;
    for (int i = 0; i < kSteps; ++i) once = mix(once);
    for (int i = 0; i < kSteps; ++i) again = mix(again);
    CHECK(once == again);
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
