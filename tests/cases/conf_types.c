// Packing to the external format and what can be asked of datatypes and statuses in 64 bits, of types made before the cut
// (MPI-3.1, 4.1.5, 4.1.7, 4.1.11, 4.3; 6.3.2 for groups).
#include "testcase_mpi.h"

enum { kRoom = 64 };

static int deleted = 0;
static int delete(MPI_Datatype type, int keyval, void *value, void *extra) {
    CHECK(type != MPI_DATATYPE_NULL && value == &deleted && extra == &deleted && keyval != MPI_KEYVAL_INVALID);
    ++deleted;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    int numbers[4] = {1, 2, 3, 0x01020304}, back[4] = {0, 0, 0, 0}, places[2] = {3, 0}, lengths[2] = {1, 2}, flag = -1;
    int keyval, excluded[1][3] = {{0, 0, 1}}, left = -1;
    char packed[kRoom];
    MPI_Aint size_external = 0, position = 0;
    MPI_Count bytes, lb, extent, elements = 0;
    MPI_Datatype indexed, resized, complex_type, known;
    MPI_Group world, others;
    MPI_Status status;
    start(&argc, &argv, "conf_types");
    MPI_Type_indexed(2, lengths, places, MPI_INT, &indexed);
    MPI_Type_commit(&indexed);
    MPI_Type_create_resized(indexed, -4, 32, &resized);
    MPI_Type_commit(&resized);
    MPI_Type_create_f90_complex(15, MPI_UNDEFINED, &complex_type);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, delete, &keyval, &deleted);
    MPI_Type_set_attr(resized, keyval, &deleted);
    MPI_Pack_external_size("external32", 1, indexed, &size_external);
    CHECK_EQUAL(size_external, 12);
    MPI_Pack_external("external32", numbers, 1, indexed, packed, kRoom, &position);
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_range_excl(world, 1, excluded, &others);
    MPI_Status_set_elements_x(&status, MPI_BYTE, (MPI_Count)3 << 31);

    ready();
    wait_for_go();

    CHECK_EQUAL(position, 12);
    CHECK(packed[0] == 1 && packed[1] == 2 && packed[2] == 3 && packed[3] == 4); /* big-endian */
    position = 0;
    MPI_Unpack_external("external32", packed, 12, &position, back, 1, indexed);
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(back[i], i == 2 ? 0 : numbers[i]);
    MPI_Type_size_x(resized, &bytes);
    CHECK_EQUAL(bytes, 12);
    MPI_Type_get_extent_x(resized, &lb, &extent);
    CHECK(lb == -4 && extent == 32);
    MPI_Type_get_true_extent_x(resized, &lb, &extent);
    CHECK(lb == 0 && extent == 16);
    MPI_Aint low, true_extent;
    MPI_Type_get_true_extent(indexed, &low, &true_extent);
    CHECK(low == 0 && true_extent == 16);
    MPI_Get_elements_x(&status, MPI_BYTE, &elements);
    CHECK_EQUAL(elements, (MPI_Count)3 << 31);
    MPI_Type_create_f90_complex(15, MPI_UNDEFINED, &known);
    CHECK(known == complex_type); /* 17.1.9: the same handle each time */
    MPI_Type_delete_attr(resized, keyval);
    CHECK_EQUAL(deleted, 1);
    MPI_Type_get_attr(resized, keyval, &world, &flag);
    CHECK_EQUAL(flag, 0);
    MPI_Type_free_keyval(&keyval);
    MPI_Group_size(others, &left);
    CHECK_EQUAL(left, size - 1);
    MPI_Type_free(&resized);
    MPI_Type_free(&indexed);
    return finish();
}
