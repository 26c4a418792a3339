// MPI_Type_create_subarray, three dimensions.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_subarray");
    MPI_Datatype type;
    MPI_Type_create_subarray(3, (int[]){5, 6, 7}, (int[]){2, 3, 4}, (int[]){1, 2, 3}, MPI_ORDER_C, MPI_INT, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 3 * 5 * 6 * 7 * sizeof(int));
}
