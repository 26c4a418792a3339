// MPI_Type_create_hindexed.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_hindexed");
    MPI_Datatype type;
    MPI_Type_create_hindexed(3, (int[]){2, 1, 4}, (MPI_Aint[]){3, 40, 71}, MPI_INT, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 1024);
}
