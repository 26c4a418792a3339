// Split collectives of MPI-IO: begun by one call and ended by another.  A cut between the two ends the operation, and
// the application's own call finds the outcome.  All members have begun equally many at a cut, and ended as well.
#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/complete.h"
#include "mpi_coord/file.h"

namespace sckpt::mpi {
namespace {

CommRecord *members_of(MPI_File file) { return record_of(file) ? record_of(file)->comm : nullptr; }

template <auto End>
int end_in_lower_half(MPI_File real, void *buffer, MPI_Status *status) {
    return (lower.*End)(real, buffer, status);
}

// `function` makes the call: handles are read after the gate, where a restart can happen.
template <auto End, class Function>
int begin(MPI_File file, const void *buffer, Function function) {
    Guard guard;
    const Inside inside(members_of(file));
    const int error = function();
    if (error == MPI_SUCCESS)
        record_of(file)->info->split = {.end = end_in_lower_half<End>, .buffer = const_cast<void *>(buffer)};
    return error;
}

template <auto End, class Buffer>
int end(MPI_File file, Buffer buffer, MPI_Status *status) {
    Guard guard;
    const Inside inside(members_of(file));
    FileInfo *info = record_of(file) ? record_of(file)->info : nullptr;
    if (info && info->split.ended) {
        const int error = info->split.error;
        if (status != MPI_STATUS_IGNORE) copy_status(status, info->split.status);
        info->split = {};
        if (error != MPI_SUCCESS) lower.File_call_errhandler(real_of(file), error);
        return error;
    }
    const int error = (lower.*End)(real_of(file), buffer, status);
    if (info) info->split = {};
    return error;
}

}  // namespace

void end_splits() {
    for (FileRecord *file : files_in_order()) {
        Split &split = file->info->split;
        if (!split.end || split.ended) continue;
        const auto real = static_cast<MPI_File>(file->real);
        const QuietFile quiet(real);
        split.error = split.end(real, split.buffer, &split.status);
        split.ended = true;
    }
}

extern "C" {

int PMPI_File_read_all_begin(MPI_File file, void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_read_all_end>(
        file, buffer, [=] { return lower.File_read_all_begin(real_of(file), buffer, count, real_of(type)); });
}
int PMPI_File_read_all_end(MPI_File file, void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_read_all_end>(file, buffer, status);
}

int PMPI_File_read_ordered_begin(MPI_File file, void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_read_ordered_end>(
        file, buffer, [=] { return lower.File_read_ordered_begin(real_of(file), buffer, count, real_of(type)); });
}
int PMPI_File_read_ordered_end(MPI_File file, void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_read_ordered_end>(file, buffer, status);
}

int PMPI_File_read_at_all_begin(MPI_File file, MPI_Offset offset, void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_read_at_all_end>(file, buffer, [=] {
        return lower.File_read_at_all_begin(real_of(file), offset, buffer, count, real_of(type));
    });
}
int PMPI_File_read_at_all_end(MPI_File file, void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_read_at_all_end>(file, buffer, status);
}

int PMPI_File_write_all_begin(MPI_File file, const void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_write_all_end>(
        file, buffer, [=] { return lower.File_write_all_begin(real_of(file), buffer, count, real_of(type)); });
}
int PMPI_File_write_all_end(MPI_File file, const void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_write_all_end>(file, buffer, status);
}

int PMPI_File_write_ordered_begin(MPI_File file, const void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_write_ordered_end>(
        file, buffer, [=] { return lower.File_write_ordered_begin(real_of(file), buffer, count, real_of(type)); });
}
int PMPI_File_write_ordered_end(MPI_File file, const void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_write_ordered_end>(file, buffer, status);
}

int PMPI_File_write_at_all_begin(MPI_File file, MPI_Offset offset, const void *buffer, int count, MPI_Datatype type) {
    return begin<&LowerTable::File_write_at_all_end>(file, buffer, [=] {
        return lower.File_write_at_all_begin(real_of(file), offset, buffer, count, real_of(type));
    });
}
int PMPI_File_write_at_all_end(MPI_File file, const void *buffer, MPI_Status *status) {
    return end<&LowerTable::File_write_at_all_end>(file, buffer, status);
}

}  // extern "C"

SCKPT_ALIAS(File_read_all_begin)
SCKPT_ALIAS(File_read_all_end)
SCKPT_ALIAS(File_read_ordered_begin)
SCKPT_ALIAS(File_read_ordered_end)
SCKPT_ALIAS(File_read_at_all_begin)
SCKPT_ALIAS(File_read_at_all_end)
SCKPT_ALIAS(File_write_all_begin)
SCKPT_ALIAS(File_write_all_end)
SCKPT_ALIAS(File_write_ordered_begin)
SCKPT_ALIAS(File_write_ordered_end)
SCKPT_ALIAS(File_write_at_all_begin)
SCKPT_ALIAS(File_write_at_all_end)

}  // namespace sckpt::mpi
