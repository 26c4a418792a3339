// MPI_Type_create_resized with a larger extent and a negative lower bound.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_resized");
    MPI_Datatype type;
    MPI_Type_create_resized(MPI_LONG, -8, 40, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 512);
}
