// MPI-3.1, 4.1.13 (and 15.1, 16.2: deprecated and removed constructors): what MPI_Type_get_envelope and
// MPI_Type_get_contents say about every constructor, down to the predefined types; bounds and sizes of all (4.1.5 to
// 4.1.8); the errors of both functions.
#define OMPI_OMIT_MPI1_COMPAT_DECLS 0  // functions that MPI-3.0 removed
#include "conformance.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { kMost = 40, kNumbers = 64 };
static MPI_Datatype types[kMost];
static int count;

static void make(void) {
    MPI_Datatype nested;
    CALL(MPI_Type_contiguous(3, MPI_SHORT, &types[count++]));
    CALL(MPI_Type_contiguous(0, MPI_DOUBLE, &types[count++]));
    CALL(MPI_Type_vector(3, 2, 5, MPI_INT, &types[count++]));
    CALL(MPI_Type_vector(2, 1, -3, types[0], &types[count++]));
    CALL(MPI_Type_create_hvector(3, 2, 44, MPI_FLOAT, &types[count++]));
    CALL(MPI_Type_indexed(3, (int[]){2, 0, 1}, (int[]){7, 1, -2}, MPI_LONG, &types[count++]));
    CALL(MPI_Type_create_hindexed(2, (int[]){2, 1}, (MPI_Aint[]){50, -9}, MPI_CHAR, &types[count++]));
    CALL(MPI_Type_create_indexed_block(3, 2, (int[]){0, 9, 4}, MPI_UNSIGNED, &types[count++]));
    CALL(MPI_Type_create_hindexed_block(3, 2, (MPI_Aint[]){0, 99, 48}, MPI_BYTE, &types[count++]));
    CALL(MPI_Type_create_struct(3, (int[]){1, 2, 3}, (MPI_Aint[]){0, 8, 200},
                                (MPI_Datatype[]){MPI_DOUBLE_INT, types[2], MPI_CHAR}, &types[count++]));
    CALL(MPI_Type_create_struct(0, NULL, NULL, NULL, &types[count++]));
    CALL(MPI_Type_create_subarray(3, (int[]){4, 5, 6}, (int[]){2, 3, 1}, (int[]){1, 0, 5}, MPI_ORDER_C, MPI_INT16_T,
                                  &types[count++]));
    CALL(MPI_Type_create_subarray(2, (int[]){4, 5}, (int[]){2, 3}, (int[]){1, 0}, MPI_ORDER_FORTRAN, types[9],
                                  &types[count++]));
    CALL(MPI_Type_create_darray(4, 1, 2, (int[]){8, 12}, (int[]){MPI_DISTRIBUTE_CYCLIC, MPI_DISTRIBUTE_BLOCK},
                                (int[]){2, MPI_DISTRIBUTE_DFLT_DARG}, (int[]){2, 2}, MPI_ORDER_C, MPI_DOUBLE,
                                &types[count++]));
    CALL(MPI_Type_create_darray(6, 4, 3, (int[]){8, 5, 7},
                                (int[]){MPI_DISTRIBUTE_BLOCK, MPI_DISTRIBUTE_NONE, MPI_DISTRIBUTE_CYCLIC},
                                (int[]){3, MPI_DISTRIBUTE_DFLT_DARG, 1}, (int[]){3, 1, 2}, MPI_ORDER_FORTRAN, MPI_INT,
                                &types[count++]));
    CALL(MPI_Type_create_resized(types[5], -64, 256, &types[count++]));
    CALL(MPI_Type_dup(types[9], &types[count++]));
    CALL(MPI_Type_dup(MPI_DOUBLE_INT, &types[count++]));
    CALL(MPI_Type_create_f90_integer(9, &types[count++]));
    CALL(MPI_Type_create_f90_real(15, 300, &types[count++]));
    CALL(MPI_Type_create_f90_complex(6, 30, &types[count++]));
    CALL(MPI_Type_create_f90_real(MPI_UNDEFINED, 30, &types[count++]));
    CALL(MPI_Type_hvector(2, 3, 100, MPI_INT, &types[count++]));
    CALL(MPI_Type_hindexed(2, (int[]){1, 3}, (MPI_Aint[]){64, 0}, types[0], &types[count++]));
    CALL(MPI_Type_struct(2, (int[]){1, 1}, (MPI_Aint[]){0, 16}, (MPI_Datatype[]){MPI_INT, types[16]}, &types[count++]));
    CALL(MPI_Type_contiguous(2, types[18], &types[count++]));  // of a type that has no name of its own in C
    // Its parts are given back: only the type itself knows them.
    CALL(MPI_Type_vector(2, 2, 3, MPI_C_DOUBLE_COMPLEX, &nested));
    CALL(MPI_Type_create_resized(nested, 0, 500, &types[count]));
    CALL(MPI_Type_free(&nested));
    nested = types[count];
    CALL(MPI_Type_create_struct(2, (int[]){1, 1}, (MPI_Aint[]){0, 1000}, (MPI_Datatype[]){nested, nested},
                                &types[count++]));
    CALL(MPI_Type_free(&nested));
    for (int i = 0; i < count; ++i)
        if (i % 2) CALL(MPI_Type_commit(&types[i]));
}

static void tell_type(MPI_Datatype type, int depth) {
    int integers, addresses, members, combiner, numbers[kNumbers], length;
    MPI_Aint places[kNumbers];
    MPI_Datatype parts[kNumbers];
    char name[MPI_MAX_OBJECT_NAME];
    int code = MPI_Type_get_envelope(type, &integers, &addresses, &members, &combiner);
    tell("%*s envelope: %d: %d %d %d, combiner %d", depth, "", code, integers, addresses, members, combiner);
    if (combiner == MPI_COMBINER_NAMED) {
        MPI_Type_get_name(type, name, &length);
        tell("%*s named %s", depth, "", name);
        return;
    }
    code = MPI_Type_get_contents(type, integers, addresses, members, numbers, places, parts);
    tell("%*s contents: %d", depth, "", code);
    tell_ints("  integers", numbers, integers);
    for (int i = 0; i < addresses; ++i) tell("%*s address %ld", depth, "", (long)places[i]);
    for (int i = 0; i < members; ++i) {
        int its_combiner;
        tell_type(parts[i], depth + 2);
        MPI_Type_get_envelope(parts[i], &integers, &addresses, &length, &its_combiner);
        bool predefined = its_combiner == MPI_COMBINER_NAMED || its_combiner == MPI_COMBINER_F90_REAL ||
                          its_combiner == MPI_COMBINER_F90_COMPLEX || its_combiner == MPI_COMBINER_F90_INTEGER;
        if (!predefined) tell("%*s given back: %d", depth, "", MPI_Type_free(&parts[i]));
    }
}

static void tell_bounds(MPI_Datatype type) {
    MPI_Aint lower, extent, old_extent, old_lower, old_upper;
    MPI_Count lower_x, extent_x, size_x;
    int bytes;
    MPI_Type_get_extent(type, &lower, &extent);
    MPI_Type_get_extent_x(type, &lower_x, &extent_x);
    tell("extent %ld %ld, %lld %lld", (long)lower, (long)extent, (long long)lower_x, (long long)extent_x);
    MPI_Type_get_true_extent(type, &lower, &extent);
    MPI_Type_get_true_extent_x(type, &lower_x, &extent_x);
    tell("true extent %ld %ld, %lld %lld", (long)lower, (long)extent, (long long)lower_x, (long long)extent_x);
    MPI_Type_size(type, &bytes);
    MPI_Type_size_x(type, &size_x);
    MPI_Type_extent(type, &old_extent);
    MPI_Type_lb(type, &old_lower);
    MPI_Type_ub(type, &old_upper);
    tell("size %d %lld, MPI-1 extent %ld, from %ld to %ld", bytes, (long long)size_x, (long)old_extent, (long)old_lower,
         (long)old_upper);
}

static void look(void) {
    int a, b, c, d, numbers[2];
    MPI_Aint place;
    MPI_Datatype parts[2];
    for (int i = 0; i < count; ++i) {
        tell("type %d", i);
        tell_type(types[i], 1);
        tell_bounds(types[i]);
    }
    CALL(MPI_Type_get_envelope(MPI_DATATYPE_NULL, &a, &b, &c, &d));
    CALL(MPI_Type_get_envelope(types[0], NULL, &b, &c, &d));
    CALL(MPI_Type_get_contents(MPI_INT, 0, 0, 0, numbers, &place, parts));
    CALL(MPI_Type_get_contents(types[0], 0, 0, 0, numbers, &place, parts));
    CALL(MPI_Type_get_contents(types[9], 2, 1, 1, numbers, &place, parts));
    CALL(MPI_Type_get_contents(MPI_DATATYPE_NULL, 1, 1, 1, numbers, &place, parts));
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_type_contents", make, look); }
