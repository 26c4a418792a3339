// MPI_Type_create_f90_real and _integer, which must not be freed, inside a struct.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_f90");
    MPI_Datatype type;
    MPI_Datatype real, integer;
    MPI_Type_create_f90_real(15, 307, &real);
    MPI_Type_create_f90_integer(9, &integer);
    MPI_Type_create_struct(2, (int[]){2, 3}, (MPI_Aint[]){0, 24}, (MPI_Datatype[]){real, integer}, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 512);
}
