// MPI-3.1, 5.9.2 to 5.9.7: every predefined operation on every type that it is defined for and on some that it is not,
// MPI_MINLOC and MPI_MAXLOC, user operations, commutative or not, on predefined and derived types.
#include "conformance.h"

static MPI_Op ops[12], user_sum, user_matrix;
static MPI_Datatype types[24], location, matrix;
static const char *const op_names[] = {"max", "min", "sum", "prod", "land", "band", "lor", "bor", "lxor", "bxor", "minloc", "maxloc"};

static void sum(void *in, void *inout, int *length, MPI_Datatype *type) {
    CHECK(*type == MPI_INT || *type == MPI_DOUBLE);
    for (int i = 0; i < *length; ++i)
        if (*type == MPI_INT)
            ((int *)inout)[i] += ((int *)in)[i];
        else
            ((double *)inout)[i] += ((double *)in)[i];
}
static void multiply(void *in, void *inout, int *length, MPI_Datatype *type) {
    unsigned char *a = in, *b = inout;
    int bytes;
    MPI_Type_size(*type, &bytes);
    CHECK(*type == matrix && bytes == 4);
    for (int i = 0; i < *length; ++i, a += 4, b += 4) {
        unsigned char c[] = {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
                             a[2] * b[1] + a[3] * b[3]};
        memcpy(b, c, 4);
    }
}

static void make(void) {
    MPI_Op all_ops[] = {MPI_MAX, MPI_MIN, MPI_SUM, MPI_PROD, MPI_LAND, MPI_BAND,
                        MPI_LOR, MPI_BOR, MPI_LXOR, MPI_BXOR, MPI_MINLOC, MPI_MAXLOC};
    MPI_Datatype all_types[] = {MPI_CHAR, MPI_SIGNED_CHAR, MPI_UNSIGNED_CHAR, MPI_SHORT, MPI_UNSIGNED_SHORT, MPI_INT, MPI_UNSIGNED,
                                MPI_LONG, MPI_UNSIGNED_LONG, MPI_LONG_LONG, MPI_UNSIGNED_LONG_LONG, MPI_FLOAT, MPI_DOUBLE,
                                MPI_C_BOOL, MPI_BYTE, MPI_INT8_T, MPI_UINT64_T, MPI_AINT, MPI_OFFSET, MPI_COUNT,
                                MPI_C_DOUBLE_COMPLEX, MPI_2INT, MPI_SHORT_INT, MPI_INTEGER};
    memcpy(ops, all_ops, sizeof ops);
    memcpy(types, all_types, sizeof types);
    CALL(MPI_Op_create(sum, 1, &user_sum));
    CALL(MPI_Op_create(multiply, 0, &user_matrix));
    CALL(MPI_Type_contiguous(4, MPI_BYTE, &matrix));
    CALL(MPI_Type_commit(&matrix));
    CALL(MPI_Type_contiguous(2, MPI_INT, &location));
    CALL(MPI_Type_commit(&location));
}

// Small values, so that no result depends on the order of additions.
static void prepare(MPI_Datatype type, void *data, int salt) {
    if (type == MPI_FLOAT)
        for (int i = 0; i < 4; ++i) ((float *)data)[i] = 1 + (rank + salt + i) % 3;
    else if (type == MPI_DOUBLE || type == MPI_C_DOUBLE_COMPLEX)
        for (int i = 0; i < 8; ++i) ((double *)data)[i] = 1 + (rank + salt + i) % 3;
    else if (type == MPI_C_BOOL)
        for (int i = 0; i < 4; ++i) ((bool *)data)[i] = (rank + salt + i) % 2;
    else
        for (int i = 0; i < 64; ++i) ((unsigned char *)data)[i] = 1 + (rank + salt + i) % 3;
}

static void look(void) {
    char name[MPI_MAX_OBJECT_NAME];
    int length, commutes;
    for (int k = 0; k < 12; ++k)
        for (int i = 0; i < 24; ++i) {
            double in[16] = {0}, out[16] = {0}, local[16] = {0};
            prepare(types[i], in, 0);
            prepare(types[i], local, 1);
            MPI_Type_get_name(types[i], name, &length);
            int code = MPI_Allreduce(in, out, 3, types[i], ops[k], MPI_COMM_WORLD);
            int code_local = MPI_Reduce_local(in, local, 3, types[i], ops[k]);
            tell("%s of %s: %d %d", op_names[k], name, code, code_local);
            if (code == MPI_SUCCESS) tell_bytes("  all", out, sizeof out);
            if (code_local == MPI_SUCCESS) tell_bytes("  local", local, sizeof local);
        }
    for (int k = 0; k < 12; ++k) {
        MPI_Op_commutative(ops[k], &commutes);
        tell("%s commutes: %d", op_names[k], commutes);
    }
    struct { double value; int where; } pairs[2] = {{rank % 2, rank}, {-rank, rank}}, found[2];
    CALL(MPI_Allreduce(pairs, found, 2, MPI_DOUBLE_INT, MPI_MINLOC, MPI_COMM_WORLD));
    for (int i = 0; i < 2; ++i) tell("least %g at %d", found[i].value, found[i].where);
    CALL(MPI_Allreduce(pairs, found, 2, MPI_DOUBLE_INT, MPI_MAXLOC, MPI_COMM_WORLD));
    for (int i = 0; i < 2; ++i) tell("greatest %g at %d", found[i].value, found[i].where);

    CALL(MPI_Op_commutative(user_sum, &commutes));
    TELL(commutes);
    CALL(MPI_Op_commutative(user_matrix, &commutes));
    TELL(commutes);
    int ints[3] = {rank, 2 * rank, 3}, total[3] = {0};
    CALL(MPI_Allreduce(ints, total, 3, MPI_INT, user_sum, MPI_COMM_WORLD));
    tell_ints("total", total, 3);
    double reals[2] = {rank, 0.5}, real_total[2] = {0};
    CALL(MPI_Allreduce(reals, real_total, 2, MPI_DOUBLE, user_sum, MPI_COMM_WORLD));
    tell("%g %g", real_total[0], real_total[1]);
    unsigned char m[12], product[12] = {0};
    for (int i = 0; i < 12; ++i) m[i] = rank * 3 + i;
    CALL(MPI_Allreduce(m, product, 3, matrix, user_matrix, MPI_COMM_WORLD));
    tell_bytes("product", product, sizeof product);
    CALL(MPI_Scan(m, product, 3, matrix, user_matrix, MPI_COMM_WORLD));
    tell_bytes("prefixes", product, sizeof product);
    CALL(MPI_Reduce_local(m, product, 3, matrix, user_matrix));
    tell_bytes("local", product, sizeof product);

    CALL(MPI_Allreduce(m, product, 1, matrix, MPI_SUM, MPI_COMM_WORLD));
    CALL(MPI_Allreduce(pairs, found, 1, location, MPI_MINLOC, MPI_COMM_WORLD));
    MPI_Op made = MPI_SUM;
    CALL(MPI_Op_free(&made));
    made = MPI_OP_NULL;
    CALL(MPI_Op_free(&made));
    CALL(MPI_Op_free(NULL));
    CALL(MPI_Op_create(NULL, 1, &made));
    CALL(MPI_Op_create(sum, 1, NULL));
    CALL(MPI_Op_commutative(MPI_OP_NULL, &commutes));
    CALL(MPI_Op_create(sum, 1, &made));
    CALL(MPI_Op_free(&made));
    TELL(made == MPI_OP_NULL);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_operations", make, look); }
