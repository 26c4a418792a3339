// Errors of files (MPI-3.1, 13.7): returned by default, told to the handler that a file inherited from MPI_FILE_NULL
// when it was opened or that was set on it, with the handle that the program knows.
#include "mpi_file.h"

static int calls;
static MPI_File about;

static void note(MPI_File *file, int *error, ...) {
    (void)error;
    ++calls;
    about = *file;
}

static int class_of(int error) {
    int class = -1;
    MPI_Error_class(error, &class);
    return class;
}

static void check_errors(MPI_File inherited, MPI_File quiet) {
    MPI_File none;
    char byte;
    calls = 0;
    CHECK_EQUAL(class_of(MPI_File_open(MPI_COMM_WORLD, shared_path("missing"), MPI_MODE_RDONLY, MPI_INFO_NULL, &none)),
                MPI_ERR_NO_SUCH_FILE);
    CHECK_EQUAL(class_of(MPI_File_open(MPI_COMM_SELF, shared_path("inherited"),
                                       MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_RDWR, MPI_INFO_NULL, &none)),
                MPI_ERR_FILE_EXISTS);
    CHECK_EQUAL(class_of(MPI_File_read_at(quiet, 0, &byte, -1, MPI_CHAR, MPI_STATUS_IGNORE)), MPI_ERR_COUNT);
    CHECK_EQUAL(calls, 0);
    CHECK_EQUAL(class_of(MPI_File_read_at(inherited, 0, &byte, -1, MPI_CHAR, MPI_STATUS_IGNORE)), MPI_ERR_COUNT);
    CHECK_EQUAL(calls, 1);
    CHECK(about == inherited);
    none = MPI_FILE_NULL;
    CHECK(MPI_File_close(&none) != MPI_SUCCESS);
    CHECK_EQUAL(calls, 1);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_errors");
    MPI_Errhandler handler, got;
    MPI_File_create_errhandler(note, &handler);
    MPI_File_set_errhandler(MPI_FILE_NULL, handler);
    MPI_File inherited = open_shared(MPI_COMM_WORLD, "inherited", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File_set_errhandler(MPI_FILE_NULL, MPI_ERRORS_RETURN);
    MPI_File quiet = open_shared(MPI_COMM_WORLD, "quiet", MPI_MODE_CREATE | MPI_MODE_RDWR);
    check_errors(inherited, quiet);
    ready();
    wait_for_go();

    check_errors(inherited, quiet);
    MPI_File_get_errhandler(inherited, &got);
    CHECK(got == handler);
    MPI_Errhandler_free(&got);
    MPI_File_set_errhandler(quiet, handler);
    MPI_Errhandler_free(&handler);
    char byte;
    MPI_File_write_at(quiet, 0, &byte, -1, MPI_CHAR, MPI_STATUS_IGNORE);
    CHECK_EQUAL(calls, 2);
    CHECK(about == quiet);
    MPI_File_close(&inherited);
    MPI_File_close(&quiet);
    return finish();
}
