// The MPI functions for attributes; what they do is in attribute.cc.
#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"

namespace sckpt::mpi {
namespace {

template <class Function>
Callback plain(Function *function) {
    return reinterpret_cast<Callback>(function);
}

}  // namespace

extern "C" {

int PMPI_Comm_create_keyval(MPI_Comm_copy_attr_function *copy, MPI_Comm_delete_attr_function *remove, int *keyval,
                            void *extra_state) {
    Guard guard;
    return create_keyval(Comm, plain(copy), plain(remove), extra_state, keyval);
}
int PMPI_Comm_free_keyval(int *keyval) {
    Guard guard;
    return free_keyval(Comm, keyval);
}
int PMPI_Comm_set_attr(MPI_Comm comm, int keyval, void *value) {
    Guard guard;
    return set_attribute(Comm, record_of(comm), keyval, value);
}
int PMPI_Comm_get_attr(MPI_Comm comm, int keyval, void *value, int *found) {
    Guard guard;
    return get_attribute(Comm, record_of(comm), keyval, value, found);
}
int PMPI_Comm_delete_attr(MPI_Comm comm, int keyval) {
    Guard guard;
    return delete_attribute(Comm, record_of(comm), keyval);
}

int PMPI_Type_create_keyval(MPI_Type_copy_attr_function *copy, MPI_Type_delete_attr_function *remove, int *keyval,
                            void *extra_state) {
    Guard guard;
    return create_keyval(Datatype, plain(copy), plain(remove), extra_state, keyval);
}
int PMPI_Type_free_keyval(int *keyval) {
    Guard guard;
    return free_keyval(Datatype, keyval);
}
int PMPI_Type_set_attr(MPI_Datatype type, int keyval, void *value) {
    Guard guard;
    return set_attribute(Datatype, record_of(type), keyval, value);
}
int PMPI_Type_get_attr(MPI_Datatype type, int keyval, void *value, int *found) {
    Guard guard;
    return get_attribute(Datatype, record_of(type), keyval, value, found);
}
int PMPI_Type_delete_attr(MPI_Datatype type, int keyval) {
    Guard guard;
    return delete_attribute(Datatype, record_of(type), keyval);
}

int PMPI_Win_create_keyval(MPI_Win_copy_attr_function *copy, MPI_Win_delete_attr_function *remove, int *keyval,
                           void *extra_state) {
    Guard guard;
    return create_keyval(Win, plain(copy), plain(remove), extra_state, keyval);
}
int PMPI_Win_free_keyval(int *keyval) {
    Guard guard;
    return free_keyval(Win, keyval);
}
int PMPI_Win_set_attr(MPI_Win win, int keyval, void *value) {
    Guard guard;
    return set_attribute(Win, record_of(win), keyval, value);
}
int PMPI_Win_get_attr(MPI_Win win, int keyval, void *value, int *found) {
    Guard guard;
    return get_attribute(Win, record_of(win), keyval, value, found);
}
int PMPI_Win_delete_attr(MPI_Win win, int keyval) {
    Guard guard;
    return delete_attribute(Win, record_of(win), keyval);
}

// The names of MPI-1, which mean communicators.
int PMPI_Keyval_create(MPI_Copy_function *copy, MPI_Delete_function *remove, int *keyval, void *extra_state) {
    Guard guard;
    return create_keyval(Comm, plain(copy), plain(remove), extra_state, keyval);
}
int PMPI_Keyval_free(int *keyval) {
    Guard guard;
    return free_keyval(Comm, keyval);
}
int PMPI_Attr_put(MPI_Comm comm, int keyval, void *value) {
    Guard guard;
    return set_attribute(Comm, record_of(comm), keyval, value);
}
int PMPI_Attr_get(MPI_Comm comm, int keyval, void *value, int *found) {
    Guard guard;
    return get_attribute(Comm, record_of(comm), keyval, value, found);
}
int PMPI_Attr_delete(MPI_Comm comm, int keyval) {
    Guard guard;
    return delete_attribute(Comm, record_of(comm), keyval);
}

}  // extern "C"

SCKPT_ALIAS(Comm_create_keyval)
SCKPT_ALIAS(Comm_free_keyval)
SCKPT_ALIAS(Comm_set_attr)
SCKPT_ALIAS(Comm_get_attr)
SCKPT_ALIAS(Comm_delete_attr)
SCKPT_ALIAS(Type_create_keyval)
SCKPT_ALIAS(Type_free_keyval)
SCKPT_ALIAS(Type_set_attr)
SCKPT_ALIAS(Type_get_attr)
SCKPT_ALIAS(Type_delete_attr)
SCKPT_ALIAS(Win_create_keyval)
SCKPT_ALIAS(Win_free_keyval)
SCKPT_ALIAS(Win_set_attr)
SCKPT_ALIAS(Win_get_attr)
SCKPT_ALIAS(Win_delete_attr)
SCKPT_ALIAS(Keyval_create)
SCKPT_ALIAS(Keyval_free)
SCKPT_ALIAS(Attr_put)
SCKPT_ALIAS(Attr_get)
SCKPT_ALIAS(Attr_delete)

}  // namespace sckpt::mpi
