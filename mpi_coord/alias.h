// Every MPI function has two names: PMPI_X, and MPI_X for the same code.  Fortran and profiling libraries use the
// first.
#pragma once

// SCKPT_ALIAS(Send): MPI_Send becomes another name of PMPI_Send, which is defined above in the same file, and both are
// exported.  mpi.h declares them so, but to gcc a definition inside a namespace is another declaration.
#define SCKPT_ALIAS(name) SCKPT_ALIAS_AS(PMPI_##name, MPI_##name)
#define SCKPT_ALIAS_AS(name, other)                                        \
    extern "C" decltype(name) name __attribute__((visibility("default"))); \
    extern "C" decltype(name) other __attribute__((alias(#name), copy(name), visibility("default")));
