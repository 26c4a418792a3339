// MPI_Type_contiguous.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_contiguous");
    MPI_Datatype type;
    MPI_Type_contiguous(37, MPI_DOUBLE, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 2048);
}
