// MPI_Type_create_struct of predefined and derived members.
#include <stddef.h>

#include "check_type.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "type_struct");
    MPI_Datatype type;
    struct Particle {
        char kind;
        double position[3];
        int neighbours[4];
    };
    MPI_Datatype place, plain;
    MPI_Type_contiguous(3, MPI_DOUBLE, &place);
    MPI_Type_create_struct(3, (int[]){1, 1, 4},
                           (MPI_Aint[]){offsetof(struct Particle, kind), offsetof(struct Particle, position),
                                        offsetof(struct Particle, neighbours)},
                           (MPI_Datatype[]){MPI_CHAR, place, MPI_INT}, &plain);
    MPI_Type_create_resized(plain, 0, sizeof(struct Particle), &type);
    MPI_Type_free(&plain);
    MPI_Type_free(&place);
    MPI_Type_commit(&type);
    return check_type(type, 3, 3 * sizeof(struct Particle));
}
