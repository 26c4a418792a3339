// Files of MPI-IO: what is known of one beyond its live handle.
#pragma once

#include <memory>
#include <string>

#include "mpi_coord/info.h"
#include "mpi_coord/type_recipe.h"

namespace sckpt::mpi {

// A split collective that has begun and not ended.
struct Split {
    int (*end)(MPI_File real, void *buffer, MPI_Status *status) = nullptr;  // null: none
    void *buffer = nullptr;
    bool ended = false;  // at a cut: what follows is for the application's own call
    int error = MPI_SUCCESS;
    MPI_Status status{};
};

struct FileInfo {
    std::string path;  // absolute
    int amode = 0;
    Split split;
    // at the cut
    InfoEntries hints;
    MPI_Offset displacement = 0;
    std::unique_ptr<TypeRecipe> etype, filetype;
    std::string representation;
    int atomic = 0;
    MPI_Offset position = 0, shared_position = 0;  // in etypes; negative: this file has none
    MPI_Offset size = 0;                           // in bytes
};

// Ends every split collective that is under way.  At the cut, in all ranks.
void end_splits();

// Live files in the order that is the same in all ranks.
std::vector<FileRecord *> files_in_order();

// While it lives, errors about the file are returned and no handler of the application runs.
class QuietFile {
  public:
    explicit QuietFile(MPI_File real);
    ~QuietFile();
    QuietFile(const QuietFile &) = delete;
    QuietFile &operator=(const QuietFile &) = delete;

  private:
    MPI_File real_;
    MPI_Errhandler handler_ = nullptr;
};

}  // namespace sckpt::mpi
