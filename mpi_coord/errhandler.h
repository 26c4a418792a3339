// Error handlers, and what the records of communicators, windows and files remember of them.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// MPI_Comm_dup and its like: the new communicator has its parent's error handler.
void inherit_errhandler(CommRecord *from, CommRecord *to);
// A file has the error handler of MPI_FILE_NULL when it is opened (MPI-3.1, 13.7).
void inherit_errhandler(FileRecord *file);
// Errors on this communicator are never the application's to see.
void return_errors(CommRecord *comm);
// The object is freed: it no longer uses its error handler.
void drop_errhandler(CommRecord *comm);
void drop_errhandler(WinRecord *win);
void drop_errhandler(FileRecord *file);

// MPI_Comm_create_errhandler and its like.  `function` is of type MPI_Comm_errhandler_function (or that for files or
// windows), or a subroutine that gets the object as a Fortran integer, or a function of the C++ bindings, which
// libmpi_cxx calls.  Returns an MPI error code.
int create_errhandler(ErrhandlerRecord::For object, void (*function)(), Language language, MPI_Errhandler *result);

}  // namespace sckpt::mpi
