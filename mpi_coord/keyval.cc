// Callbacks of attributes, in C and in Fortran.
#include "mpi_coord/keyval.h"

#include "mpi_coord/fortran.h"

namespace sckpt::mpi {
namespace {

// Callbacks for the three kinds differ in the type of the handle alone, which is a pointer in each.
using CopyC = int(void *, int, void *, void *, void *, int *);
using RemoveC = int(void *, int, void *, void *);
template <class Integer>
using CopyFortran = void(MPI_Fint *, MPI_Fint *, Integer *, Integer *, Integer *, MPI_Fint *, MPI_Fint *);
template <class Integer>
using RemoveFortran = void(MPI_Fint *, MPI_Fint *, Integer *, Integer *, MPI_Fint *);

}  // namespace

int call_remove(const Keyval &keyval, Record *object, Attribute *attribute) {
    MPI_Fint handle = 0, number = attribute->keyval, error = MPI_SUCCESS;
    if (keyval.binding == Binding::c)
        return reinterpret_cast<RemoveC *>(keyval.remove)(object, number, attribute->as_c(), keyval.extra);
    handle = fortran_index(object);
    if (keyval.binding == Binding::fortran_integer) {
        MPI_Fint value = attribute->as_integer(), extra = static_cast<MPI_Fint>(keyval.fortran_extra);
        reinterpret_cast<RemoveFortran<MPI_Fint> *>(keyval.remove)(&handle, &number, &value, &extra, &error);
    } else {
        MPI_Aint value = attribute->as_address(), extra = keyval.fortran_extra;
        reinterpret_cast<RemoveFortran<MPI_Aint> *>(keyval.remove)(&handle, &number, &value, &extra, &error);
    }
    return error;
}

int call_copy(const Keyval &keyval, Record *from, Attribute *attribute, Attribute *copy, bool *wanted) {
    MPI_Fint handle = 0, number = attribute->keyval, error = MPI_SUCCESS;
    int flag = 0;
    copy->keyval = number;
    if (keyval.binding == Binding::c) {
        void *in = attribute->as_c(), *out = nullptr;
        error = reinterpret_cast<CopyC *>(keyval.copy)(from, number, keyval.extra, in, &out, &flag);
        copy->pointer = out;
        // MPI_COMM_DUP_FN and its like: the pointer would lead into storage that ends with the original attribute.
        if (out == in && attribute->origin != Binding::c) *copy = *attribute;
    } else if (handle = fortran_index(from); keyval.binding == Binding::fortran_integer) {
        MPI_Fint in = attribute->as_integer(), extra = static_cast<MPI_Fint>(keyval.fortran_extra);
        copy->origin = keyval.binding;
        reinterpret_cast<CopyFortran<MPI_Fint> *>(keyval.copy)(&handle, &number, &extra, &in, &copy->integer, &flag,
                                                               &error);
    } else {
        MPI_Aint in = attribute->as_address(), extra = keyval.fortran_extra;
        copy->origin = keyval.binding;
        reinterpret_cast<CopyFortran<MPI_Aint> *>(keyval.copy)(&handle, &number, &extra, &in, &copy->address, &flag,
                                                               &error);
    }
    *wanted = flag != 0;
    return error;
}

}  // namespace sckpt::mpi
