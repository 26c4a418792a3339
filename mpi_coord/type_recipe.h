// How a datatype was made, down to predefined ones: enough to make it again in another lower half.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

struct TypeRecipe {
    int combiner = MPI_COMBINER_NAMED;
    MPI_Datatype named = nullptr;  // live handle of a predefined type, which is the same after a restart
    std::vector<int> integers;
    std::vector<MPI_Aint> addresses;
    std::vector<std::unique_ptr<TypeRecipe>> types;
    std::string name;
    bool committed = true;
};

// Of a live type; ends the process when the type cannot be taken apart, which no valid one refuses.
std::unique_ptr<TypeRecipe> take_apart(MPI_Datatype real);
// A live type, not committed.
MPI_Datatype make_again(const TypeRecipe &recipe);

// Predefined types and those of MPI_Type_create_f90_* belong to MPI: whoever gets one must not free it.
bool belongs_to_mpi(MPI_Datatype real);

}  // namespace sckpt::mpi
