// MPI-3.1, 8.3 to 8.5, and 15.1, 16.2: classes, codes and strings of errors, those of the library and those that a
// program adds; error handlers of communicators, files and (without a checkpoint while one lives) windows, what they are
// inherited by, which of them is called for which call.
#define OMPI_OMIT_MPI1_COMPAT_DECLS 0  // functions that MPI-3.0 removed
#include "conformance.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int added_class, added_codes[3];
static MPI_Errhandler on_comm, on_file, on_window, old_handler;
static MPI_Comm comm, child;
static MPI_File file;

static void told(const char *what, bool right, int code) {
    int class;
    MPI_Error_class(code, &class);
    tell("  %s called: %d, code %d, class %d", what, right, code, class);
}
static void comm_handler(MPI_Comm *about, int *code, ...) { told("comm", *about == comm || *about == child, *code); }
static void old_function(MPI_Comm *about, int *code, ...) { told("old", *about == comm, *code); }
static void file_handler(MPI_File *about, int *code, ...) { told("file", *about == file || *about == MPI_FILE_NULL, *code); }
static void window_handler(MPI_Win *about, int *code, ...) { told("window", *about != MPI_WIN_NULL, *code); }

static void make(void) {
    CALL(MPI_Add_error_class(&added_class));
    CALL(MPI_Add_error_string(added_class, "the coffee is cold"));
    for (int i = 0; i < 3; ++i) CALL(MPI_Add_error_code(i < 2 ? added_class : MPI_ERR_OTHER, &added_codes[i]));
    CALL(MPI_Add_error_string(added_codes[0], "the coffee is cold and black"));
    CALL(MPI_Comm_create_errhandler(comm_handler, &on_comm));
    CALL(MPI_File_create_errhandler(file_handler, &on_file));
    CALL(MPI_Win_create_errhandler(window_handler, &on_window));
    CALL(MPI_Errhandler_create(old_function, &old_handler));
    CALL(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    CALL(MPI_Comm_set_errhandler(comm, on_comm));
    CALL(MPI_Comm_dup(comm, &child));
    CALL(MPI_File_set_errhandler(MPI_FILE_NULL, on_file));
    CALL(MPI_File_open(MPI_COMM_SELF, case_path("file"), MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file));
}

static void windows(void) {
    MPI_Win window;
    MPI_Errhandler got;
    int memory[4];
    MPI_Win_create(memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    CALL(MPI_Win_get_errhandler(window, &got));
    TELL(got == MPI_ERRORS_ARE_FATAL);
    CALL(MPI_Win_set_errhandler(window, on_window));
    CALL(MPI_Win_call_errhandler(window, added_codes[1]));
    CALL(MPI_Win_get_errhandler(window, &got));
    TELL(got == on_window);
    CALL(MPI_Errhandler_free(&got));
    CALL(MPI_Put(memory, 1, MPI_INT, size, 0, 1, MPI_INT, window));
    CALL(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN));
    CALL(MPI_Put(memory, 1, MPI_INT, size, 0, 1, MPI_INT, window));
    CALL(MPI_Win_set_errhandler(window, on_comm));
    MPI_Win_free(&window);
}

static void look(void) {
    char text[MPI_MAX_ERROR_STRING];
    int length, class, found, data = 0;
    void *value;
    MPI_Errhandler got;
    for (int code = 0; code <= added_codes[2] + 1; ++code) {
        int result = MPI_Error_string(code, text, &length);
        int other = MPI_Error_class(code, &class);
        tell("code %d: %d %s; %d %d", code, result, text, other, class);
    }
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_LASTUSEDCODE, &value, &found);
    tell("last used code %d: %d", *(int *)value, found);
    CALL(MPI_Error_class(-1, &class));
    CALL(MPI_Error_string(1 << 20, text, &length));
    CALL(MPI_Add_error_string(MPI_ERR_ARG, "not for the program to say"));
    CALL(MPI_Add_error_code(1 << 20, &class));

    CALL(MPI_Comm_call_errhandler(comm, added_codes[0]));
    CALL(MPI_Comm_call_errhandler(child, MPI_ERR_TAG));
    CALL(MPI_Comm_call_errhandler(MPI_COMM_WORLD, MPI_ERR_TAG));
    CALL(MPI_Comm_call_errhandler(MPI_COMM_NULL, MPI_ERR_TAG));
    CALL(MPI_Send(&data, 1, MPI_INT, size, 0, comm));
    CALL(MPI_Send(&data, 1, MPI_INT, 0, -3, child));
    CALL(MPI_Comm_get_errhandler(child, &got));
    TELL(got == on_comm);
    CALL(MPI_Errhandler_free(&got));
    TELL(got == MPI_ERRHANDLER_NULL);
    CALL(MPI_Comm_get_errhandler(MPI_COMM_WORLD, &got));
    TELL(got == MPI_ERRORS_RETURN);
    CALL(MPI_Errhandler_set(comm, old_handler));
    CALL(MPI_Send(&data, -1, MPI_INT, 0, 0, comm));
    CALL(MPI_Errhandler_get(comm, &got));
    TELL(got == old_handler);
    CALL(MPI_Errhandler_free(&got));
    CALL(MPI_Comm_set_errhandler(comm, on_comm));

    CALL(MPI_File_get_errhandler(file, &got));
    TELL(got == on_file);
    CALL(MPI_Errhandler_free(&got));
    CALL(MPI_File_get_errhandler(MPI_FILE_NULL, &got));
    TELL(got == on_file);
    CALL(MPI_Errhandler_free(&got));
    CALL(MPI_File_call_errhandler(file, MPI_ERR_IO));
    CALL(MPI_File_call_errhandler(MPI_FILE_NULL, MPI_ERR_NO_SUCH_FILE));
    CALL(MPI_File_seek(file, -5, MPI_SEEK_SET));
    CALL(MPI_File_read(file, &data, -1, MPI_INT, MPI_STATUS_IGNORE));
    MPI_File none;
    class = MPI_File_open(MPI_COMM_SELF, "/nowhere/at all", MPI_MODE_RDONLY, MPI_INFO_NULL, &none);
    MPI_Error_class(class, &class);
    TELL(class);
    CALL(MPI_File_set_errhandler(file, MPI_ERRORS_RETURN));
    CALL(MPI_File_seek(file, -5, MPI_SEEK_SET));
    CALL(MPI_File_set_errhandler(file, on_file));
    windows();

    CALL(MPI_Comm_set_errhandler(comm, on_file));
    CALL(MPI_Comm_set_errhandler(comm, MPI_ERRHANDLER_NULL));
    CALL(MPI_Comm_set_errhandler(MPI_COMM_NULL, on_comm));
    CALL(MPI_File_set_errhandler(file, on_comm));
    CALL(MPI_File_set_errhandler(file, MPI_ERRHANDLER_NULL));
    CALL(MPI_Comm_create_errhandler(NULL, &got));
    got = MPI_ERRHANDLER_NULL;
    CALL(MPI_Errhandler_free(&got));
    CALL(MPI_Errhandler_free(NULL));
    static bool again;
    if (again) MPI_File_close(&file);
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_errors", make, look); }
