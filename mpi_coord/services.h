// The base libc's side of the boundary to the lower half.
#pragma once

#include "mpi_coord/half.h"
#include "mpi_coord/lower/abi.h"

namespace sckpt::mpi {

sckpt_base_services base_services(void (*library_loaded)(const char *));
// Keys created up to now belong to the pristine state; later ones are deleted at a reset.
void record_keys_from_now();

}  // namespace sckpt::mpi
