// Names of communicators, of a predefined one and of types.
#include <string.h>

#include "testcase_mpi.h"

static void check_name(MPI_Comm comm, const char *wanted) {
    char name[MPI_MAX_OBJECT_NAME];
    int length;
    MPI_Comm_get_name(comm, name, &length);
    if (strcmp(name, wanted) != 0 || length != (int)strlen(wanted))
        fail("a name is '%s', should be '%s'", name, wanted);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "comm_name");
    MPI_Comm named, unnamed;
    MPI_Datatype type;
    MPI_Comm_dup(MPI_COMM_WORLD, &named);
    MPI_Comm_set_name(named, "ocean model, rows");
    MPI_Comm_dup(MPI_COMM_SELF, &unnamed);
    MPI_Comm_set_name(unnamed, "");
    MPI_Comm_set_name(MPI_COMM_WORLD, "everybody");
    MPI_Type_contiguous(3, MPI_DOUBLE, &type);
    MPI_Type_set_name(type, "vector of space");
    MPI_Type_commit(&type);
    ready();
    wait_for_go();

    check_name(named, "ocean model, rows");
    check_name(unnamed, "");
    check_name(MPI_COMM_WORLD, "everybody");
    check_name(MPI_COMM_SELF, "MPI_COMM_SELF");
    char name[MPI_MAX_OBJECT_NAME];
    int length;
    MPI_Type_get_name(type, name, &length);
    if (strcmp(name, "vector of space") != 0) fail("the name of the type is '%s'", name);
    return finish();
}
