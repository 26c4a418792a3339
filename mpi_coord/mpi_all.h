/* Declares every function that libmpi exports: mpi.h, its extensions, and the ten functions that MPI-3.0 removed, which
 * libmpi still exports for old programs and mpi.h hides behind macros that do not compile.  C and C++, and with include
 * guards, since the generator hands this file itself to the compiler. */
#ifndef SCKPT_MPI_COORD_MPI_ALL_H
#define SCKPT_MPI_COORD_MPI_ALL_H

#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#include <mpi.h>
/* mpi-ext.h relies on mpi.h */
#include <mpi-ext.h>

#undef MPI_Address
#undef MPI_Errhandler_create
#undef MPI_Errhandler_get
#undef MPI_Errhandler_set
#undef MPI_Type_extent
#undef MPI_Type_hindexed
#undef MPI_Type_hvector
#undef MPI_Type_lb
#undef MPI_Type_struct
#undef MPI_Type_ub

#ifdef __cplusplus
extern "C" {
#endif

typedef void(SckptHandlerFunction)(MPI_Comm *, int *, ...);

/* MPI-1.3, sections 3.12 and 7.2. */
#define SCKPT_REMOVED(name, arguments)      \
    OMPI_DECLSPEC int MPI_##name arguments; \
    OMPI_DECLSPEC int PMPI_##name arguments

SCKPT_REMOVED(Address, (void *location, MPI_Aint *address));
SCKPT_REMOVED(Errhandler_create, (SckptHandlerFunction * function, MPI_Errhandler *errhandler));
SCKPT_REMOVED(Errhandler_get, (MPI_Comm comm, MPI_Errhandler *errhandler));
SCKPT_REMOVED(Errhandler_set, (MPI_Comm comm, MPI_Errhandler errhandler));
SCKPT_REMOVED(Type_extent, (MPI_Datatype type, MPI_Aint *extent));
SCKPT_REMOVED(Type_hindexed, (int count, int *lengths, MPI_Aint *offsets, MPI_Datatype old, MPI_Datatype *made));
SCKPT_REMOVED(Type_hvector, (int count, int length, MPI_Aint stride, MPI_Datatype old, MPI_Datatype *made));
SCKPT_REMOVED(Type_lb, (MPI_Datatype type, MPI_Aint *offset));
SCKPT_REMOVED(Type_struct, (int count, int *lengths, MPI_Aint *offsets, MPI_Datatype *old, MPI_Datatype *made));
SCKPT_REMOVED(Type_ub, (MPI_Datatype type, MPI_Aint *offset));

#undef SCKPT_REMOVED

#ifdef __cplusplus
}
#endif
#endif
