// An executable at a fixed address, into which the linker has copied data of libmpi and libc: the handles of this
// program lie in it and not in libmpi, also for whoever looks them up by name.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "testcase_mpi.h"

extern char __executable_start, _end;

static bool copied(const void *object) { return (const char *)object >= &__executable_start && (const char *)object < &_end; }

static int own_constants(MPI_Comm comm, MPI_Datatype type, MPI_Op op) {
    int mine, sum = 0;
    MPI_Comm_rank(comm, &mine);
    MPI_Allreduce(&mine, &sum, 1, type, op, comm);
    return sum;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "no_pie");
    if ((uintptr_t)&__executable_start >= 0x10000000) fail("the program is not linked to a fixed address");
    CHECK(copied(MPI_COMM_WORLD) && copied(MPI_INT) && copied(MPI_SUM) && copied(&environ) && copied(&stdout));
    MPI_Comm by_name = dlsym(RTLD_DEFAULT, "ompi_mpi_comm_world");
    CHECK(by_name == MPI_COMM_WORLD);
    char **const variables = environ;
    ready();
    wait_for_go();

    CHECK(environ == variables);
    CHECK_EQUAL(own_constants(MPI_COMM_WORLD, MPI_INT, MPI_SUM), size * (size - 1) / 2);
    CHECK_EQUAL(own_constants(by_name, dlsym(RTLD_DEFAULT, "ompi_mpi_int"), dlsym(RTLD_DEFAULT, "ompi_mpi_op_sum")),
                size * (size - 1) / 2);
    MPI_Comm dup;
    MPI_Comm_dup(MPI_COMM_WORLD, &dup);
    int same;
    MPI_Comm_compare(dup, MPI_COMM_WORLD, &same);
    CHECK_EQUAL(same, MPI_CONGRUENT);
    MPI_Comm_free(&dup);
    return finish();
}
