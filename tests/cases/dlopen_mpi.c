// A program that is not linked with MPI but opens it at run time, out of the sight of other libraries, and asks for each
// function by name, as run-time systems of other languages do.
#include <dlfcn.h>
#include <mpi.h>

#include "testcase.h"

static void *library;

static void *function(const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail("there is no %s", name);
    return found;
}
#define CALL(name) ((__typeof__(&name))function(#name))

int main(int argc, char **argv) {
    begin("dlopen_mpi");
    library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    int rank, size, got = -1, sum = -1;
    CALL(MPI_Init)(&argc, &argv);
    MPI_Comm world = (MPI_Comm)function("ompi_mpi_comm_world"), copy;
    MPI_Datatype integer = (MPI_Datatype)function("ompi_mpi_int");
    MPI_Op add = (MPI_Op)function("ompi_mpi_op_sum");
    CALL(MPI_Comm_rank)(world, &rank);
    CALL(MPI_Comm_size)(world, &size);
    CALL(MPI_Comm_dup)(world, &copy);
    MPI_Request pending;
    CALL(MPI_Irecv)(&got, 1, integer, (rank + size - 1) % size, 4, copy, &pending);
    ready();
    wait_for_go();

    CALL(MPI_Send)(&rank, 1, integer, (rank + 1) % size, 4, copy);
    CALL(MPI_Wait)(&pending, MPI_STATUS_IGNORE);
    CHECK_EQUAL(got, (rank + size - 1) % size);
    CALL(MPI_Allreduce)(&rank, &sum, 1, integer, add, copy);
    CHECK_EQUAL(sum, size * (size - 1) / 2);
    CALL(MPI_Finalize)();
    return pass();
}
