// MPI_ERRORS_RETURN set before the cut is in force after it, and the default elsewhere is unchanged.
#include <string.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "errhandler_return");
    MPI_Comm quiet;
    MPI_Errhandler handler;
    int code, new_class, new_code;
    MPI_Comm_dup(MPI_COMM_WORLD, &quiet);
    MPI_Comm_set_errhandler(quiet, MPI_ERRORS_RETURN);
    MPI_Add_error_class(&new_class);
    MPI_Add_error_code(new_class, &new_code);
    MPI_Add_error_string(new_code, "the model has diverged");
    ready();
    wait_for_go();

    MPI_Comm_get_errhandler(quiet, &handler);
    CHECK(handler == MPI_ERRORS_RETURN);
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &handler);
    CHECK(handler == MPI_ERRORS_ARE_FATAL);
    code = MPI_Send(&rank, 1, MPI_INT, size + 5, 0, quiet);
    int kind, length;
    MPI_Error_class(code, &kind);
    CHECK_EQUAL(kind, MPI_ERR_RANK);
    char text[MPI_MAX_ERROR_STRING];
    MPI_Error_string(new_code, text, &length);
    if (strcmp(text, "the model has diverged") != 0) fail("the user's error string is '%s'", text);
    MPI_Error_class(new_code, &kind);
    CHECK_EQUAL(kind, new_class);
    return finish();
}
