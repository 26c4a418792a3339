// Error handlers of windows (MPI-3.1, 8.3.2): the application's function is called with the application's handle, before
// and after the restart; the default and MPI_ERRORS_RETURN are kept as well.
#include <string.h>

#include "testcase_mpi.h"

static MPI_Win handled, returned;
static int calls, last;

static void handler(MPI_Win *window, int *code, ...) {
    char name[MPI_MAX_OBJECT_NAME];
    int length;
    CHECK(*window == handled);
    MPI_Win_get_name(*window, name, &length);
    CHECK(strcmp(name, "handled") == 0);
    ++calls;
    MPI_Error_class(*code, &last);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_errhandler_name");
    int memory = 0, class;
    MPI_Win plain;
    MPI_Errhandler made, got;
    MPI_Win_create(&memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &handled);
    MPI_Win_create(&memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &returned);
    MPI_Win_create(&memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &plain);
    MPI_Win_create_errhandler(handler, &made);
    MPI_Win_set_errhandler(handled, made);
    MPI_Errhandler_free(&made);
    MPI_Win_set_errhandler(returned, MPI_ERRORS_RETURN);
    MPI_Win_set_name(handled, "handled");
    MPI_Win_call_errhandler(handled, MPI_ERR_ARG);
    CHECK_EQUAL(calls, 1);
    ready();
    wait_for_go();

    MPI_Win_call_errhandler(handled, MPI_ERR_OTHER);
    CHECK_EQUAL(calls, 2);
    CHECK_EQUAL(last, MPI_ERR_OTHER);
    // Errors of calls: a rank that does not exist, an unlock without a lock.
    MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, handled);
    MPI_Put(&memory, 1, MPI_INT, size, 0, 1, MPI_INT, handled);
    CHECK_EQUAL(calls, 3);
    CHECK_EQUAL(last, MPI_ERR_RANK);
    MPI_Win_unlock(rank, handled);
    MPI_Error_class(MPI_Win_unlock(rank, returned), &class);
    CHECK_EQUAL(class, MPI_ERR_RMA_SYNC);
    MPI_Win_get_errhandler(returned, &got);
    CHECK(got == MPI_ERRORS_RETURN);
    MPI_Win_get_errhandler(plain, &got);
    CHECK(got == MPI_ERRORS_ARE_FATAL);
    MPI_Win_get_errhandler(handled, &got);
    MPI_Win_set_errhandler(returned, got);
    MPI_Errhandler_free(&got);
    MPI_Win_set_errhandler(returned, MPI_ERRORS_RETURN);
    CHECK_EQUAL(calls, 3);
    MPI_Win_free(&handled);
    MPI_Win_free(&returned);
    MPI_Win_free(&plain);
    return finish();
}
