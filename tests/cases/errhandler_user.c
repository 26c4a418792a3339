// A user's error handler is called after the cut, with the communicator that the user knows.
#include "testcase_mpi.h"

static int called, code_seen;
static MPI_Comm watched;

static void handle(MPI_Comm *comm, int *code, ...) {
    CHECK(*comm == watched);
    MPI_Error_class(*code, &code_seen);
    ++called;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "errhandler_user");
    MPI_Errhandler handler;
    MPI_Comm_create_errhandler(handle, &handler);
    MPI_Comm_dup(MPI_COMM_WORLD, &watched);
    MPI_Comm_set_errhandler(watched, handler);
    MPI_Errhandler_free(&handler);
    ready();
    wait_for_go();

    MPI_Comm parent = watched;
    MPI_Send(&rank, -1, MPI_INT, 0, 0, watched);
    CHECK_EQUAL(called, 1);
    CHECK_EQUAL(code_seen, MPI_ERR_COUNT);
    // Inherited by a duplicate made after the cut.
    MPI_Comm_dup(parent, &watched);
    MPI_Bcast(&rank, 1, MPI_INT, size, watched);
    CHECK_EQUAL(called, 2);
    MPI_Comm_call_errhandler(watched, MPI_ERR_OTHER);
    CHECK_EQUAL(called, 3);
    CHECK_EQUAL(code_seen, MPI_ERR_OTHER);
    return finish();
}
