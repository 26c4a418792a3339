// MPI_Type_vector, of a vector that is freed before the cut.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_vector");
    MPI_Datatype type;
    MPI_Datatype inner;
    MPI_Type_vector(4, 2, 3, MPI_INT, &inner);
    MPI_Type_vector(5, 1, 2, inner, &type);
    MPI_Type_free(&inner);
    MPI_Type_commit(&type);
    return check_type(type, 3, 4096);
}
