// Attributes are kept in the upper half altogether: values, keyvals and callbacks are the application's, and callbacks
// get the application's own handles.  The lower half knows none of them; predefined ones (MPI_TAG_UB ...) come from it.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// MPI_Comm_dup and its like: copies by the keyvals' copy functions (MPI-3.1, 6.7.2).  Returns an MPI error code; on an
// error nothing is left in `to`, and the error handler of the communicator `from` has been called.
int copy_attributes(CommRecord *from, CommRecord *to);
int copy_attributes(DatatypeRecord *from, DatatypeRecord *to);

// Before the object is freed: delete functions, in the reverse order of setting.  An error forbids the freeing; the
// object's error handler has been called then.  Open MPI ignores errors for datatypes, and so does this.
int delete_attributes(CommRecord *);
int delete_attributes(DatatypeRecord *);
int delete_attributes(WinRecord *);

// How a keyval's callbacks take their arguments, and where an attribute's value came from (MPI-3.1, 17.2.7): C void *,
// INTEGER (MPI_KEYVAL_CREATE, MPI_ATTR_PUT) or INTEGER(KIND=MPI_ADDRESS_KIND) (MPI_COMM_CREATE_KEYVAL,
// MPI_COMM_SET_ATTR).
enum class Binding : std::uint8_t { c, fortran_integer, fortran_address };

// --- what the C functions do, for all kinds of object at once: `kind` is Comm, Datatype or Win, and `object` a record
// of one.  Results are MPI error codes; errors have called the error handler of the object (MPI_COMM_WORLD's for
// datatypes).

using Callback = void (*)();
int create_keyval(Kind kind, Callback copy, Callback remove, void *extra_state, int *keyval);
int free_keyval(Kind kind, int *keyval);
int set_attribute(Kind kind, Record *object, int keyval, void *value);
int get_attribute(Kind kind, Record *object, int keyval, void *value, int *found);
int delete_attribute(Kind kind, Record *object, int keyval);

// --- for the Fortran bindings

// `copy` and `remove` are subroutines with the arguments of MPI-3.1, 6.7.2, called with handles as Fortran integers.
int create_keyval_fortran(Kind kind, Binding binding, Callback copy, Callback remove, MPI_Aint extra_state,
                          int *keyval);

// The value is converted from and to what other bindings set and get, by the rules of 17.2.7.
int set_attribute_fint(Kind kind, Record *object, int keyval, MPI_Fint value);
int set_attribute_aint(Kind kind, Record *object, int keyval, MPI_Aint value);
int get_attribute_fint(Kind kind, Record *object, int keyval, MPI_Fint *value, int *found);
int get_attribute_aint(Kind kind, Record *object, int keyval, MPI_Aint *value, int *found);

}  // namespace sckpt::mpi
