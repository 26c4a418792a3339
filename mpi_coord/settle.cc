#include "mpi_coord/settle_impl.h"

namespace sckpt::mpi_coord {

template class BasicSettle<SoundRules>;

}  // namespace sckpt::mpi_coord
