// MPI-3.1, 6.7: attributes of communicators, datatypes and (without a checkpoint while one lives) windows, with the
// deprecated functions of 15.1.  Every callback tells when it is called and for which value, so that their order is
// compared as well; callbacks that refuse; predefined attributes and callbacks.
#include "conformance.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

enum { kKeys = 4 };
static int keys[kKeys], type_keys[kKeys], window_key, old_key;
static MPI_Comm comms[3];
static MPI_Datatype types[2];
static char places[16];
static bool refuse;

static long place(void *value) { return (char *)value - places; }

static int copy(MPI_Comm comm, int key, void *extra, void *value, void *out, int *flag) {
    int which = -1;
    for (int i = 0; i < kKeys; ++i) which = key == keys[i] ? i : which;
    tell("  copy of key %d: extra %ld, value %ld, null %d", which, place(extra), place(value), comm == MPI_COMM_NULL);
    *(void **)out = (char *)value + 1;
    *flag = which != 1;
    return refuse ? MPI_ERR_OTHER : MPI_SUCCESS;
}
static int forget(MPI_Comm comm, int key, void *value, void *extra) {
    int which = -1;
    for (int i = 0; i < kKeys; ++i) which = key == keys[i] ? i : which;
    tell("  deletion of key %d: extra %ld, value %ld, null %d", which, place(extra), place(value), comm == MPI_COMM_NULL);
    return refuse ? MPI_ERR_OTHER : MPI_SUCCESS;
}
static int copy_of_type(MPI_Datatype type, int key, void *extra, void *value, void *out, int *flag) {
    int bytes;
    MPI_Type_size(type, &bytes);
    tell("  copy of type: key known %d, extra %ld, value %ld, size %d", key == type_keys[0] || key == type_keys[1],
         place(extra), place(value), bytes);
    *(void **)out = (char *)value + 2;
    *flag = 1;
    return refuse ? MPI_ERR_OTHER : MPI_SUCCESS;
}
static int forget_type(MPI_Datatype type, int key, void *value, void *extra) {
    int bytes;
    MPI_Type_size(type, &bytes);
    tell("  deletion of type: key known %d, extra %ld, value %ld, size %d", key == type_keys[0] || key == type_keys[1],
         place(extra), place(value), bytes);
    return refuse ? MPI_ERR_OTHER : MPI_SUCCESS;
}
static int forget_window(MPI_Win window, int key, void *value, void *extra) {
    tell("  deletion of window: %d %ld, extra %ld", key == window_key && window != MPI_WIN_NULL, place(value), place(extra));
    return MPI_SUCCESS;
}

static void make(void) {
    for (int i = 0; i < 3; ++i) CALL(MPI_Comm_create_keyval(copy, forget, &keys[i], places + i));
    CALL(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, &keys[3], NULL));
    CALL(MPI_Keyval_create(copy, forget, &old_key, places + 9));
    CALL(MPI_Type_create_keyval(copy_of_type, forget_type, &type_keys[0], places));
    CALL(MPI_Type_create_keyval(copy_of_type, forget_type, &type_keys[1], places + 1));
    CALL(MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, MPI_TYPE_NULL_DELETE_FN, &type_keys[2], NULL));
    CALL(MPI_Type_create_keyval(MPI_TYPE_DUP_FN, MPI_TYPE_NULL_DELETE_FN, &type_keys[3], NULL));
    CALL(MPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, forget_window, &window_key, places + 3));
    MPI_Comm_dup(MPI_COMM_WORLD, &comms[0]);
    for (int i = kKeys - 1; i >= 0; --i) CALL(MPI_Comm_set_attr(comms[0], keys[i], places + i));
    CALL(MPI_Attr_put(comms[0], old_key, places + 5));
    CALL(MPI_Comm_dup(comms[0], &comms[1]));
    CALL(MPI_Comm_dup(comms[1], &comms[2]));
    MPI_Type_contiguous(3, MPI_INT, &types[0]);
    for (int i = 0; i < kKeys; ++i) CALL(MPI_Type_set_attr(types[0], type_keys[i], places + i));
    CALL(MPI_Type_dup(types[0], &types[1]));
    CALL(MPI_Type_set_attr(MPI_INT, type_keys[0], places + 7));
}

static void tell_attributes(MPI_Comm comm) {
    int found;
    void *value;
    for (int i = 0; i < kKeys; ++i) {
        MPI_Comm_get_attr(comm, keys[i], &value, &found);
        tell("attribute %d: %d, %ld", i, found, found ? place(value) : -1);
    }
    CALL(MPI_Attr_get(comm, old_key, &value, &found));
    tell("of the old kind: %d, %ld", found, found ? place(value) : -1);
}

static void windows(void) {
    MPI_Win window;
    int found, memory[4];
    void *value;
    CALL(MPI_Win_create(memory, sizeof memory, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window));
    MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
    CALL(MPI_Win_set_attr(window, window_key, places + 4));
    CALL(MPI_Win_get_attr(window, window_key, &value, &found));
    TELL(found && value == places + 4);
    CALL(MPI_Win_get_attr(window, MPI_WIN_BASE, &value, &found));
    TELL(found && value == memory);
    CALL(MPI_Win_get_attr(window, MPI_WIN_SIZE, &value, &found));
    TELL(*(MPI_Aint *)value);
    CALL(MPI_Win_get_attr(window, MPI_WIN_DISP_UNIT, &value, &found));
    TELL(*(int *)value);
    CALL(MPI_Win_get_attr(window, MPI_WIN_CREATE_FLAVOR, &value, &found));
    TELL(*(int *)value);
    CALL(MPI_Win_get_attr(window, MPI_WIN_MODEL, &value, &found));
    TELL(*(int *)value);
    CALL(MPI_Win_delete_attr(window, window_key));
    CALL(MPI_Win_delete_attr(window, window_key));
    CALL(MPI_Win_set_attr(window, window_key, places + 5));
    CALL(MPI_Win_free(&window));
}

static void look(void) {
    int found, key;
    void *value;
    MPI_Comm comm;
    MPI_Datatype type;
    for (int i = 0; i < 3; ++i) tell_attributes(comms[i]);
    CALL(MPI_Comm_dup(comms[0], &comm));
    tell_attributes(comm);
    CALL(MPI_Comm_delete_attr(comm, keys[0]));
    CALL(MPI_Comm_delete_attr(comm, keys[0]));
    CALL(MPI_Attr_delete(comm, keys[2]));
    CALL(MPI_Comm_set_attr(comm, keys[3], places + 8));
    CALL(MPI_Comm_set_attr(comm, keys[2], places + 8));
    CALL(MPI_Comm_set_attr(comm, keys[2], places + 9));
    tell_attributes(comm);
    CALL(MPI_Comm_free(&comm));
    for (int i = 0; i < kKeys; ++i)
        for (int k = 0; k < 2; ++k) {
            MPI_Type_get_attr(types[k], type_keys[i], &value, &found);
            tell("attribute %d of type %d: %d, %ld", i, k, found, found ? place(value) : -1);
        }
    CALL(MPI_Type_dup(types[1], &type));
    CALL(MPI_Type_delete_attr(type, type_keys[1]));
    CALL(MPI_Type_free(&type));
    CALL(MPI_Type_get_attr(MPI_INT, type_keys[0], &value, &found));
    tell("of MPI_INT: %d %ld", found, place(value));
    windows();

    // What refuses.
    refuse = true;
    MPI_Comm_set_errhandler(comms[0], MPI_ERRORS_RETURN);
    CALL(MPI_Comm_dup(comms[0], &comm));
    TELL(comm == MPI_COMM_NULL);
    CALL(MPI_Comm_delete_attr(comms[0], keys[0]));
    CALL(MPI_Comm_set_attr(comms[0], keys[0], places + 6));
    CALL(MPI_Type_dup(types[0], &type));
    CALL(MPI_Type_delete_attr(types[0], type_keys[0]));
    refuse = false;
    tell_attributes(comms[0]);

    // A key that is freed while it is in use lives on where it is set.
    CALL(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, forget, &key, places + 10));
    CALL(MPI_Comm_set_attr(comms[2], key, places + 10));
    int again = key;
    CALL(MPI_Comm_free_keyval(&key));
    TELL(key == MPI_KEYVAL_INVALID);
    CALL(MPI_Comm_get_attr(comms[2], again, &value, &found));
    TELL(found);
    CALL(MPI_Comm_delete_attr(comms[2], again));
    CALL(MPI_Keyval_create(MPI_NULL_COPY_FN, MPI_NULL_DELETE_FN, &key, NULL));
    CALL(MPI_Keyval_free(&key));
    TELL(key == MPI_KEYVAL_INVALID);

    CALL(MPI_Comm_set_attr(MPI_COMM_WORLD, MPI_TAG_UB, places));
    CALL(MPI_Comm_delete_attr(MPI_COMM_WORLD, MPI_IO));
    CALL(MPI_Comm_get_attr(MPI_COMM_WORLD, 987654, &value, &found));
    CALL(MPI_Comm_set_attr(MPI_COMM_WORLD, MPI_KEYVAL_INVALID, places));
    CALL(MPI_Comm_get_attr(MPI_COMM_NULL, keys[0], &value, &found));
    CALL(MPI_Comm_set_attr(MPI_COMM_WORLD, type_keys[0], places));
    CALL(MPI_Type_get_attr(MPI_DATATYPE_NULL, type_keys[0], &value, &found));
    CALL(MPI_Type_set_attr(types[0], keys[0], places));
    key = MPI_KEYVAL_INVALID;
    CALL(MPI_Comm_free_keyval(&key));
    CALL(MPI_Type_free_keyval(&key));
    CALL(MPI_Win_free_keyval(&key));
    int predefined[] = {MPI_TAG_UB, MPI_HOST, MPI_IO, MPI_WTIME_IS_GLOBAL, MPI_UNIVERSE_SIZE, MPI_APPNUM, MPI_LASTUSEDCODE};
    for (int i = 0; i < 7; ++i) {
        int code = MPI_Comm_get_attr(MPI_COMM_WORLD, predefined[i], &value, &found);
        tell("predefined %d: %d, %d, %d", i, code, found, found ? *(int *)value : 0);
    }
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_attributes", make, look); }
