// A program that loads MPI late, as an interpreter does: checkpointed as a task without MPI, it then initialises MPI in
// the job that it was restored in.
#include <dlfcn.h>
#include <mpi.h>
#include <stdlib.h>

#include "testcase.h"

static void *find(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found) fail("%s is not there", name);
    return found;
}

int main(void) {
    begin("serial_then_mpi");
    const int size_before = atoi(getenv("OMPI_COMM_WORLD_SIZE"));
    ready();
    wait_for_go();
    if (!dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL)) fail("%s", dlerror());
    int (*init)(int *, char ***) = find("MPI_Init");
    int (*comm_rank)(MPI_Comm, int *) = find("MPI_Comm_rank");
    int (*allreduce)(const void *, void *, int, MPI_Datatype, MPI_Op, MPI_Comm) = find("MPI_Allreduce");
    int (*finalize)(void) = find("MPI_Finalize");
    MPI_Comm world = find("ompi_mpi_comm_world");
    int rank = -1, sum = 0, one = 1;
    CHECK_EQUAL(init(NULL, NULL), MPI_SUCCESS);
    CHECK_EQUAL(comm_rank(world, &rank), MPI_SUCCESS);
    CHECK_EQUAL(rank, case_rank());
    CHECK_EQUAL(allreduce(&one, &sum, 1, find("ompi_mpi_int"), find("ompi_mpi_op_sum"), world), MPI_SUCCESS);
    CHECK_EQUAL(sum, size_before);
    CHECK_EQUAL(finalize(), MPI_SUCCESS);
    return pass();
}
