// MPI_Type_indexed with blocks of different lengths, one empty, out of order.
#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_indexed");
    MPI_Datatype type;
    MPI_Type_indexed(4, (int[]){3, 0, 1, 5}, (int[]){20, 4, 0, 7}, MPI_FLOAT, &type);
    MPI_Type_commit(&type);
    return check_type(type, 3, 1024);
}
