// MPI_Type_create_indexed_block and hindexed_block, one inside the other.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_indexed_block");
    MPI_Datatype type;
    MPI_Datatype inner;
    MPI_Type_create_hindexed_block(2, 3, (MPI_Aint[]){0, 29}, MPI_CHAR, &inner);
    MPI_Type_create_indexed_block(3, 2, (int[]){8, 0, 4}, inner, &type);
    MPI_Type_free(&inner);
    MPI_Type_commit(&type);
    return check_type(type, 3, 4096);
}
