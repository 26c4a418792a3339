// Files of MPI-IO: open and close, record and rebuild.
//
// Each file has a communicator of its own with the members that opened it: collective calls on the file are announced
// and counted there, and at a restart the file is opened on it again, in the order of its id.  What is written after a
// cut lies behind the size that the file had: a restart cuts it back.
#include "mpi_coord/file.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/errhandler.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

bool writable(const FileInfo &info) { return !(info.amode & MPI_MODE_RDONLY); }

// The working directory may be another one by the time of a restart.  ROMIO takes "ufs:name" and its like.
std::string absolute(const char *name) {
    const std::string given = name;
    const size_t colon = given.find(':');
    const std::string prefix = colon != std::string::npos ? given.substr(0, colon + 1) : "";
    const char *const known[] = {"ufs:", "nfs:", "lustre:", "pvfs2:", "panfs:", "gpfs:", "testfs:"};
    const bool prefixed = std::ranges::find(known, prefix) != std::end(known);
    const std::string path = prefixed ? given.substr(colon + 1) : given;
    if (path.empty() || path[0] == '/') return given;
    char directory[PATH_MAX];
    if (!getcwd(directory, sizeof directory)) return given;
    return (prefixed ? prefix : "") + directory + '/' + path;
}

std::string error_text(int error) {
    char text[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
    if (lower.Error_string(error, text, &length) != MPI_SUCCESS) return "MPI error " + std::to_string(error);
    return {text, static_cast<size_t>(length)};
}

// Open MPI answers with an equivalent type made of the one that was given: the outermost level says nothing.
std::unique_ptr<TypeRecipe> take_view_type(MPI_Datatype real) {
    auto recipe = take_apart(real);
    if (!belongs_to_mpi(real)) lower.Type_free(&real);
    const bool copied = recipe->combiner == MPI_COMBINER_DUP ||
                        (recipe->combiner == MPI_COMBINER_CONTIGUOUS && recipe->integers[0] == 1);
    if (copied) {
        auto inner = std::move(recipe->types[0]);
        return inner;
    }
    return recipe;
}

int record_view(MPI_File real, FileInfo &info) {
    char representation[MPI_MAX_DATAREP_STRING + 1] = "";
    MPI_Datatype etype, filetype;
    const int error = lower.File_get_view(real, &info.displacement, &etype, &filetype, representation);
    if (error != MPI_SUCCESS) return error;
    info.etype = take_view_type(etype);
    info.filetype = take_view_type(filetype);
    info.representation = representation;
    return error;
}

// Collective over the members of the file: goes on after an error, so that nobody is left alone.
int record(MPI_File real, FileInfo &info) {
    int first = MPI_SUCCESS;
    const auto note = [&](int error) {
        if (first == MPI_SUCCESS) first = error;
    };
    MPI_Info hints = nullptr;
    note(lower.File_get_info(real, &hints));
    if (hints) info.hints = take_info(hints);
    note(record_view(real, info));
    note(lower.File_get_atomicity(real, &info.atomic));
    note(lower.File_get_size(real, &info.size));
    // There is no individual pointer in MPI_MODE_SEQUENTIAL, and no shared one on some file systems.
    if (lower.File_get_position(real, &info.position) != MPI_SUCCESS) info.position = -1;
    if (lower.File_get_position_shared(real, &info.shared_position) != MPI_SUCCESS) info.shared_position = -1;
    // ROMIO does not let a shared pointer be set in that mode: then a restart could not do it either.
    if ((info.amode & MPI_MODE_SEQUENTIAL) && info.shared_position >= 0)
        note(lower.File_seek_shared(real, info.shared_position, MPI_SEEK_SET));
    if (writable(info)) note(lower.File_sync(real));
    return first;
}

bool is_bytes(const TypeRecipe &recipe) { return recipe.named == real_of(MPI_BYTE); }

int restore_view(MPI_File real, const FileInfo &info) {
    if (info.displacement == 0 && is_bytes(*info.etype) && is_bytes(*info.filetype) && info.representation == "native")
        return MPI_SUCCESS;
    MPI_Datatype types[2] = {make_again(*info.etype), make_again(*info.filetype)};
    for (MPI_Datatype &type : types)
        if (!belongs_to_mpi(type)) lower.Type_commit(&type);
    const int error = lower.File_set_view(real, info.displacement, types[0], types[1], info.representation.c_str(),
                                          real_of(MPI_INFO_NULL));
    for (MPI_Datatype &type : types)
        if (!belongs_to_mpi(type)) lower.Type_free(&type);
    return error;
}

// Empty, or what is wrong.
std::string open_again(FileRecord *file) {
    FileInfo &info = *file->info;
    MPI_Info hints = make_info(info.hints);
    MPI_File real = nullptr;
    int error = lower.File_open(static_cast<MPI_Comm>(file->comm->real), info.path.c_str(),
                                info.amode & ~(MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_APPEND), hints, &real);
    lower.Info_free(&hints);
    if (error != MPI_SUCCESS)
        return "cannot open " + info.path +
               " again, a file of MPI-IO that was open at the checkpoint: " + error_text(error);
    file->real = real;
    MPI_Offset size = 0;
    error = lower.File_get_size(real, &size);
    if (error == MPI_SUCCESS && size < info.size)
        return "the file " + info.path + " has " + std::to_string(size) + " bytes, at the checkpoint it had " +
               std::to_string(info.size);
    if (error == MPI_SUCCESS && writable(info)) error = lower.File_set_size(real, info.size);
    if (error == MPI_SUCCESS && info.atomic) error = lower.File_set_atomicity(real, 1);
    if (error == MPI_SUCCESS) error = restore_view(real, info);
    if (error == MPI_SUCCESS && info.position >= 0) error = lower.File_seek(real, info.position, MPI_SEEK_SET);
    if (error == MPI_SUCCESS && info.shared_position >= 0)
        error = lower.File_seek_shared(real, info.shared_position, MPI_SEEK_SET);
    if (error == MPI_SUCCESS) return {};
    return "cannot put " + info.path +
           ", a file of MPI-IO, into the state it had at the checkpoint: " + error_text(error);
}

}  // namespace

QuietFile::QuietFile(MPI_File real) : real_(real) {
    lower.File_get_errhandler(real, &handler_);
    lower.File_set_errhandler(real, real_of(MPI_ERRORS_RETURN));
}

QuietFile::~QuietFile() {
    if (!handler_) return;
    lower.File_set_errhandler(real_, handler_);
    lower.Errhandler_free(&handler_);
}

std::vector<FileRecord *> files_in_order() {
    std::vector<FileRecord *> files;
    for_each_live<FileRecord>(Kind::File, [&](FileRecord *file) { files.push_back(file); });
    std::ranges::sort(files, {}, [](const FileRecord *file) { return file->comm->info->id; });
    return files;
}

std::string record_files() {
    end_splits();
    std::string refusal;
    for (FileRecord *file : files_in_order()) {
        const auto real = static_cast<MPI_File>(file->real);
        const QuietFile quiet(real);
        const int error = record(real, *file->info);
        if (error != MPI_SUCCESS && refusal.empty())
            refusal =
                "the state of " + file->info->path + ", a file of MPI-IO, cannot be asked for: " + error_text(error);
    }
    return refusal;
}

std::string rebuild_files() {
    for (FileRecord *file : files_in_order())
        if (std::string failure = open_again(file); !failure.empty()) return failure;
    return {};
}

void describe_files(Describe describe, void *context) {
    for (FileRecord *file : files_in_order()) {
        const FileInfo &info = *file->info;
        char text[160];
        snprintf(text, sizeof text, ": mode %#x, %lld bytes, view from byte %lld, at %lld, shared at %lld%s%s",
                 static_cast<unsigned>(info.amode), static_cast<long long>(info.size),
                 static_cast<long long>(info.displacement), static_cast<long long>(info.position),
                 static_cast<long long>(info.shared_position), info.atomic ? ", atomic" : "",
                 info.split.ended ? ", a split collective to be ended" : "");
        describe(context, "file", "MPI_File_open", (info.path + text).c_str());
    }
}

extern "C" {

int PMPI_File_open(MPI_Comm comm, const char *name, int amode, MPI_Info info, MPI_File *result) {
    Guard guard;
    CommRecord *parent = record_of(comm);
    MPI_File real = nullptr;
    // The lower half says what is wrong.
    if (!parent || !parent->info || parent->info->inter || !name || !result)
        return lower.File_open(real_of(comm), name, amode, real_of(info), result ? &real : nullptr);
    CommRecord *own = nullptr;
    int error = make_companion(parent, "MPI_File_open", &own);
    if (error != MPI_SUCCESS) return error;
    {
        const Inside inside(own);
        error = lower.File_open(static_cast<MPI_Comm>(own->real), name, amode, real_of(info), &real);
    }
    if (error != MPI_SUCCESS) {
        free_companion(own);
        *result = MPI_FILE_NULL;
        return error;
    }
    FileRecord *record = wrap<Kind::File>(real);
    record->comm = own;
    record->info = new FileInfo;
    record->info->path = absolute(name);
    record->info->amode = amode;
    inherit_errhandler(record);
    *result = handle_of(record);
    return error;
}

int PMPI_File_close(MPI_File *file) {
    Guard guard;
    FileRecord *record = file ? record_of(*file) : nullptr;
    if (!record || record->predefined) {
        MPI_File real = record ? static_cast<MPI_File>(record->real) : nullptr;
        return lower.File_close(file ? &real : nullptr);
    }
    const Inside inside(record->comm);
    auto real = static_cast<MPI_File>(record->real);
    const int error = lower.File_close(&real);
    if (error != MPI_SUCCESS) return error;
    drop_errhandler(record);
    free_companion(record->comm);
    delist(record);
    delete record->info;
    delete record;
    *file = MPI_FILE_NULL;
    return error;
}

// After a restart the live file has been opened without those bits that would make or empty it.
int PMPI_File_get_amode(MPI_File file, int *amode) {
    Guard guard;
    const int error = lower.File_get_amode(real_of(file), amode);
    if (error == MPI_SUCCESS) *amode = record_of(file)->info->amode;
    return error;
}

// The conversion functions belong to the lower half's list of representations, which nobody can be asked for.
int PMPI_Register_datarep(const char *name, MPI_Datarep_conversion_function *read,
                          MPI_Datarep_conversion_function *write, MPI_Datarep_extent_function *extent,
                          void *extra_state) {
    Guard guard;
    const int error = lower.Register_datarep(name, read, write, extent, extra_state);
    if (error == MPI_SUCCESS) ++hold_counts[static_cast<int>(Hold::data_representation)];
    return error;
}

}  // extern "C"

SCKPT_ALIAS(File_open)
SCKPT_ALIAS(File_close)
SCKPT_ALIAS(File_get_amode)
SCKPT_ALIAS(Register_datarep)

}  // namespace sckpt::mpi
