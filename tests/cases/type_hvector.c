// MPI_Type_create_hvector with a stride that is no multiple of the element.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_hvector");
    MPI_Datatype type;
    MPI_Type_create_hvector(6, 3, 17, MPI_SHORT, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 1024);
}
