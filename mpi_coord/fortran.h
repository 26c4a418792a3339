// Handles as Fortran integers (MPI-3.1, 17.2.4).  Predefined handles have the numbers that the lower half gives them,
// since those are compiled into programs; objects of the application have numbers of ours, which outlive a restart.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// Below it are numbers of predefined handles.
inline constexpr MPI_Fint kFirstFortranNumber = 100000;

// The number of the record's handle: MPI_X_c2f.  -1 for a null pointer, as native.
MPI_Fint fortran_index(Record *record);

// The record that a number stands for: MPI_X_f2c.  Null when there is none, as native.
Record *fortran_record(Kind kind, MPI_Fint number);

// The record is about to go: its number may be given to another.
void forget_fortran(Record *record);

template <Kind K>
HandleOf<K> from_fortran(MPI_Fint number) {
    return handle_of(static_cast<RecordOf<K> *>(fortran_record(K, number)));
}
template <class Handle>
MPI_Fint to_fortran(Handle handle) {
    return fortran_index(record_of(handle));
}

}  // namespace sckpt::mpi
