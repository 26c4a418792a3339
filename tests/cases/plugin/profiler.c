// A profiling library (MPI-3.1, 14.2): counts some calls and forwards them.
#include <mpi.h>

int profiled_inits, profiled_sends, profiled_reductions;

int MPI_Init(int *argc, char ***argv) {
    ++profiled_inits;
    return PMPI_Init(argc, argv);
}

int MPI_Send(const void *buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    ++profiled_sends;
    return PMPI_Send(buffer, count, type, to, tag, comm);
}

int MPI_Allreduce(const void *in, void *out, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    ++profiled_reductions;
    return PMPI_Allreduce(in, out, count, type, op, comm);
}
