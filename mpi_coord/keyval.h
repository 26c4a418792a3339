// Keyvals and the values of attributes, as attribute.cc keeps them.
#pragma once

#include "mpi_coord/attributes.h"

namespace sckpt::mpi {

struct Keyval {
    Kind kind;
    Binding binding;
    Callback copy, remove;
    void *extra;
    MPI_Aint fortran_extra;
    bool freed = false;  // by the application; lives on while attributes use it
    int users = 0;       // attributes
};

// The last two hold a value set from Fortran: C gets a pointer to it, so it stays where it is.
struct Attribute {
    int keyval;
    Binding origin = Binding::c;
    void *pointer = nullptr;
    MPI_Fint integer = 0;
    MPI_Aint address = 0;

    void *as_c() {
        if (origin == Binding::fortran_integer) return &integer;
        if (origin == Binding::fortran_address) return &address;
        return pointer;
    }
    MPI_Aint as_address() const {
        if (origin == Binding::fortran_integer) return integer;
        if (origin == Binding::fortran_address) return address;
        return reinterpret_cast<MPI_Aint>(pointer);
    }
    MPI_Fint as_integer() const { return static_cast<MPI_Fint>(as_address()); }
};

// Both call a callback of the application, with its own handle for the object, and return what it returns.
int call_remove(const Keyval &keyval, Record *object, Attribute *attribute);
// *wanted: the copy function has set its flag, and *copy is what it gave.
int call_copy(const Keyval &keyval, Record *from, Attribute *attribute, Attribute *copy, bool *wanted);

}  // namespace sckpt::mpi
