// MPI_Type_dup of a derived type whose original is gone.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_dup");
    MPI_Datatype type;
    MPI_Datatype original;
    MPI_Type_vector(3, 1, 4, MPI_DOUBLE, &original);
    MPI_Type_commit(&original);
    MPI_Type_dup(original, &type);
    MPI_Type_free(&original);
    MPI_Type_commit(&type);
    return check_type(type, 3, 1024);
}
