// Attributes of communicators and types: values, pointers, copy and delete callbacks that run after the cut.
#include "testcase_mpi.h"

static int copies, deletions;

static int copy(MPI_Comm comm, int key, void *extra, void *value, void *out, int *flag) {
    CHECK(comm != MPI_COMM_NULL && key != MPI_KEYVAL_INVALID);
    CHECK(extra == &copies);
    *(void **)out = (char *)value + 1;
    *flag = 1;
    ++copies;
    return MPI_SUCCESS;
}

static int forget(MPI_Comm comm, int key, void *value, void *extra) {
    CHECK(comm != MPI_COMM_NULL && key != MPI_KEYVAL_INVALID && value != NULL);
    CHECK(extra == &copies);
    ++deletions;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "attributes");
    static char place[10];
    int key, type_key, found;
    void *value;
    MPI_Comm one, two;
    MPI_Datatype type;
    MPI_Comm_create_keyval(copy, forget, &key, &copies);
    MPI_Comm_set_attr(MPI_COMM_WORLD, key, place);
    MPI_Comm_dup(MPI_COMM_WORLD, &one);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, MPI_TYPE_NULL_DELETE_FN, &type_key, NULL);
    MPI_Type_contiguous(2, MPI_INT, &type);
    MPI_Type_set_attr(type, type_key, place + 7);
    int copies_before = copies, deletions_before = deletions;
    CHECK_EQUAL(copies_before, 1);
    ready();
    wait_for_go();

    // A restore rebuilds communicators: the program's callbacks must not notice.
    CHECK_EQUAL(copies, copies_before);
    CHECK_EQUAL(deletions, deletions_before);
    MPI_Comm_get_attr(MPI_COMM_WORLD, key, &value, &found);
    CHECK(found && value == place);
    MPI_Comm_get_attr(one, key, &value, &found);
    CHECK(found && value == place + 1);
    MPI_Comm_get_attr(MPI_COMM_SELF, key, &value, &found);
    CHECK(!found);
    MPI_Type_get_attr(type, type_key, &value, &found);
    CHECK(found && value == place + 7);
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &value, &found);
    CHECK(found && *(int *)value >= 32767);
    MPI_Comm_dup(one, &two);
    CHECK_EQUAL(copies, copies_before + 1);
    MPI_Comm_get_attr(two, key, &value, &found);
    CHECK(found && value == place + 2);
    MPI_Comm_free(&two);
    MPI_Comm_free(&one);
    MPI_Comm_delete_attr(MPI_COMM_WORLD, key);
    CHECK_EQUAL(deletions, deletions_before + 3);
    MPI_Comm_free_keyval(&key);
    CHECK_EQUAL(key, MPI_KEYVAL_INVALID);
    MPI_Type_free(&type);
    return finish();
}
