// The content of an info object of the lower half, taken out and put into a new one.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

using InfoEntries = std::vector<std::pair<std::string, std::string>>;

InfoEntries read_info(MPI_Info real);
// The same of one that MPI has made for us, which is freed.
InfoEntries take_info(MPI_Info real);
// A new live object, to be freed by the caller.
MPI_Info make_info(const InfoEntries &entries);

}  // namespace sckpt::mpi
