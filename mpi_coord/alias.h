// Every MPI function has two names: PMPI_X, which Fortran and profiling libraries use, and MPI_X.
//
// A library that is linked for profiling defines MPI_X itself and calls PMPI_X (MPI-3.1, 14.2).  It comes behind ours
// in the order of symbols, since ours is preloaded: so MPI_X here jumps to where its entry in the table of profiled.cc
// points, which is PMPI_X unless there is such a library.
#pragma once

// SCKPT_ALIAS(Send): MPI_Send becomes another name of PMPI_Send, which is defined above in the same file, and both are
// exported.  mpi.h declares them so, but to gcc a definition inside a namespace is another declaration.
#define SCKPT_ALIAS(name) SCKPT_ALIAS_AS(PMPI_##name, MPI_##name)
#define SCKPT_ALIAS_AS(name, other)                                        \
    extern "C" decltype(name) name __attribute__((visibility("default"))); \
    SCKPT_PROFILED(#name, #other)

// An entry of the table (the name, where to go) and the function that goes there.
#define SCKPT_PROFILED(ours, other)              \
    asm(".pushsection sckpt_profiled, \"aw\"\n"  \
        "    .balign 8\n"                        \
        "    .quad 9f\n"                         \
        "8:  .quad " ours                        \
        "\n"                                     \
        ".popsection\n"                          \
        ".pushsection .rodata\n"                 \
        "9:  .string \"" other                   \
        "\"\n"                                   \
        ".popsection\n"                          \
        ".pushsection .text\n"                   \
        "    .balign 16\n"                       \
        "    .globl " other                      \
        "\n"                                     \
        "    .type " other ", @function\n" other \
        ":\n"                                    \
        "    .cfi_startproc\n"                   \
        "    jmp *8b(%rip)\n"                    \
        "    .cfi_endproc\n"                     \
        "    .size " other ", . - " other        \
        "\n"                                     \
        ".popsection\n");
