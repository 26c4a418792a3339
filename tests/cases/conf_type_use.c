// MPI-3.1, 4.1.5 to 4.1.11, 4.2, 4.3 and 17.2.5: datatypes in use.  Every predefined C type and derived ones are packed,
// packed for other machines (external32), unpacked, sent; sizes beyond an int; addresses; matching of sizes; errors.
#define OMPI_OMIT_MPI1_COMPAT_DECLS 0  // functions that MPI-3.0 removed
#include "conformance.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { kRoom = 1 << 14, kDerived = 8 };
static MPI_Datatype derived[kDerived], huge, unfinished;
static char memory[kRoom], packed[kRoom], received[kRoom];

static void make(void) {
    fill(memory, sizeof memory, 5);
    CALL(MPI_Type_contiguous(5, MPI_INT, &derived[0]));
    CALL(MPI_Type_vector(4, 3, 7, MPI_SHORT, &derived[1]));
    CALL(MPI_Type_create_hvector(3, 2, 41, MPI_CHAR, &derived[2]));
    CALL(MPI_Type_indexed(3, (int[]){1, 3, 2}, (int[]){9, 0, 5}, MPI_DOUBLE, &derived[3]));
    CALL(MPI_Type_create_struct(3, (int[]){2, 1, 3}, (MPI_Aint[]){0, 64, 128},
                                (MPI_Datatype[]){derived[1], MPI_DOUBLE, MPI_INT}, &derived[4]));
    CALL(MPI_Type_create_resized(derived[4], -8, 300, &derived[5]));
    CALL(MPI_Type_create_subarray(2, (int[]){6, 6}, (int[]){3, 2}, (int[]){2, 1}, MPI_ORDER_C, MPI_INT, &derived[6]));
    CALL(MPI_Type_dup(derived[5], &derived[7]));
    for (int i = 0; i < kDerived; ++i) CALL(MPI_Type_commit(&derived[i]));
    MPI_Datatype kilo;
    CALL(MPI_Type_contiguous(1 << 20, MPI_DOUBLE, &kilo));
    CALL(MPI_Type_contiguous(1 << 10, kilo, &huge));
    CALL(MPI_Type_free(&kilo));
    CALL(MPI_Type_commit(&huge));
    CALL(MPI_Type_contiguous(2, MPI_INT, &unfinished));
}

static void use(const char *name, MPI_Datatype type, int count) {
    int room, position = 0, back = 0, code;
    MPI_Aint external_room, external = 0, external_back = 0;
    char *start = memory + 64, *out = received + 64;
    MPI_Status status;
    MPI_Pack_size(count, type, MPI_COMM_WORLD, &room);
    memset(packed, 0, sizeof packed);
    code = MPI_Pack(start, count, type, packed, sizeof packed, &position, MPI_COMM_WORLD);
    tell("%s: room %d, packed %d: %d", name, room, position, code);
    tell_bytes("  packed", packed, position);
    memset(received, 0, sizeof received);
    code = MPI_Unpack(packed, position, &back, out, count, type, MPI_COMM_WORLD);
    tell("  unpacked up to %d: %d", back, code);
    tell_bytes("  unpacked", received, sizeof received);

    code = MPI_Pack_external_size("external32", count, type, &external_room);
    tell("  external room %ld: %d", (long)external_room, code);
    memset(packed, 0, sizeof packed);
    code = MPI_Pack_external("external32", start, count, type, packed, sizeof packed, &external);
    tell("  external %ld: %d", (long)external, code);
    tell_bytes("  external", packed, external);
    memset(received, 0, sizeof received);
    code = MPI_Unpack_external("external32", packed, external, &external_back, out, count, type);
    tell("  unpacked up to %ld: %d", (long)external_back, code);
    tell_bytes("  unpacked", received, sizeof received);

    memset(received, 0, sizeof received);
    MPI_Sendrecv(start, count, type, (rank + 1) % size, 4, out, count + 1, type, (rank + size - 1) % size, 4,
                 MPI_COMM_WORLD, &status);
    tell_bytes("  received", received, sizeof received);
    tell_status("  status", &status, type, false);
}
#define USE(type, count) use(#type, type, count)

static void look(void) {
    USE(MPI_CHAR, 9);
    USE(MPI_SIGNED_CHAR, 9);
    USE(MPI_UNSIGNED_CHAR, 9);
    USE(MPI_BYTE, 9);
    USE(MPI_WCHAR, 5);
    USE(MPI_SHORT, 5);
    USE(MPI_UNSIGNED_SHORT, 5);
    USE(MPI_INT, 5);
    USE(MPI_UNSIGNED, 5);
    USE(MPI_LONG, 5);
    USE(MPI_UNSIGNED_LONG, 5);
    USE(MPI_LONG_LONG, 5);
    USE(MPI_UNSIGNED_LONG_LONG, 5);
    USE(MPI_FLOAT, 5);
    USE(MPI_DOUBLE, 5);
    USE(MPI_C_BOOL, 5);
    USE(MPI_INT8_T, 5);
    USE(MPI_INT64_T, 5);
    USE(MPI_UINT32_T, 5);
    USE(MPI_AINT, 5);
    USE(MPI_OFFSET, 5);
    USE(MPI_COUNT, 5);
    USE(MPI_C_FLOAT_COMPLEX, 3);
    USE(MPI_C_DOUBLE_COMPLEX, 3);
    USE(MPI_FLOAT_INT, 3);
    USE(MPI_2INT, 3);
    USE(MPI_SHORT_INT, 3);
    USE(MPI_INTEGER, 3);
    USE(MPI_DOUBLE_PRECISION, 3);
    for (int i = 0; i < kDerived; ++i) use("derived", derived[i], 3);

    int bytes, position = 0, back = 0;
    MPI_Aint here, there, place = 0;
    MPI_Count bytes_x, lower_x, extent_x;
    MPI_Datatype matched;
    char name[MPI_MAX_OBJECT_NAME];
    CALL(MPI_Type_size(huge, &bytes));
    TELL(bytes);
    CALL(MPI_Type_size_x(huge, &bytes_x));
    TELL(bytes_x);
    CALL(MPI_Type_get_extent_x(huge, &lower_x, &extent_x));
    TELL(extent_x);
    CALL(MPI_Pack_size(1, huge, MPI_COMM_WORLD, &bytes));
    MPI_Get_address(memory, &here);
    MPI_Address(memory + 100, &there);
    TELL(MPI_Aint_diff(there, here));
    TELL(MPI_Aint_add(here, 100) == there);
    int wanted[] = {1, 2, 4, 8, 16, 32, 3};
    for (int i = 0; i < 7; ++i)
        for (int class = MPI_TYPECLASS_INTEGER; class <= MPI_TYPECLASS_COMPLEX; ++class) {
            matched = MPI_DATATYPE_NULL;
            int code = MPI_Type_match_size(class, wanted[i], &matched), length = 0;
            if (code == MPI_SUCCESS) MPI_Type_get_name(matched, name, &length);
            tell("matching %d of %d bytes: %d %.*s", class, wanted[i], code, length, name);
        }
    MPI_Type_match_size(MPI_TYPECLASS_REAL, 8, &matched);
    TELL(matched == MPI_DOUBLE);

    CALL(MPI_Pack(memory, 1, MPI_DATATYPE_NULL, packed, sizeof packed, &position, MPI_COMM_WORLD));
    CALL(MPI_Pack(memory, -1, MPI_INT, packed, sizeof packed, &position, MPI_COMM_WORLD));
    CALL(MPI_Pack(memory, 8, MPI_INT, packed, 8, &position, MPI_COMM_WORLD));
    CALL(MPI_Pack(memory, 8, MPI_INT, packed, sizeof packed, &position, MPI_COMM_NULL));
    CALL(MPI_Unpack(packed, 4, &back, memory, 8, MPI_INT, MPI_COMM_WORLD));
    CALL(MPI_Pack_external("internal", memory, 1, MPI_INT, packed, sizeof packed, &place));
    CALL(MPI_Pack_size(1, MPI_DATATYPE_NULL, MPI_COMM_WORLD, &bytes));
    CALL(MPI_Send(memory, 1, unfinished, rank, 0, MPI_COMM_WORLD));
    CALL(MPI_Type_contiguous(-1, MPI_INT, &matched));
    CALL(MPI_Type_contiguous(1, MPI_DATATYPE_NULL, &matched));
    CALL(MPI_Type_vector(-1, 1, 1, MPI_INT, &matched));
    CALL(MPI_Type_vector(1, -1, 1, MPI_INT, &matched));
    CALL(MPI_Type_indexed(1, (int[]){-1}, (int[]){0}, MPI_INT, &matched));
    CALL(MPI_Type_create_struct(1, (int[]){1}, (MPI_Aint[]){0}, (MPI_Datatype[]){MPI_DATATYPE_NULL}, &matched));
    CALL(MPI_Type_create_subarray(1, (int[]){4}, (int[]){3}, (int[]){2}, MPI_ORDER_C, MPI_INT, &matched));
    CALL(MPI_Type_create_subarray(1, (int[]){4}, (int[]){3}, (int[]){1}, 77, MPI_INT, &matched));
    CALL(MPI_Type_create_darray(2, 5, 1, (int[]){4}, (int[]){MPI_DISTRIBUTE_BLOCK}, (int[]){MPI_DISTRIBUTE_DFLT_DARG},
                                (int[]){2}, MPI_ORDER_C, MPI_INT, &matched));
    CALL(MPI_Type_create_f90_real(400, 400, &matched));
    CALL(MPI_Type_size(MPI_DATATYPE_NULL, &bytes));
    CALL(MPI_Type_commit(NULL));
    matched = MPI_INT;
    CALL(MPI_Type_free(&matched));
    matched = MPI_DATATYPE_NULL;
    CALL(MPI_Type_free(&matched));
    CALL(MPI_Type_commit(&matched));
    CALL(MPI_Type_dup(MPI_DATATYPE_NULL, &matched));
    CALL(MPI_Get_address(memory, NULL));
    matched = MPI_INT;
    CALL(MPI_Type_commit(&matched));
    TELL(matched == MPI_INT);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_type_use", make, look); }
