// MPI_Type_create_darray, cyclic and block.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_darray");
    MPI_Datatype type;
    MPI_Type_create_darray(4, 1, 2, (int[]){8, 12}, (int[]){MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_BLOCK},
                           (int[]){2, MPI_DISTRIBUTE_DFLT_DARG}, (int[]){2, 2}, MPI_ORDER_FORTRAN, MPI_DOUBLE, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 3 * 8 * 12 * sizeof(double));
}
