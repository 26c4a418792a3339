// A node that crashes leaves the PMIx server's socket of its steps behind.  A requeued job has the same job and step
// ids, so on the same node Slurm's mpi/pmix cannot bind it again ("Address already in use") and the launch fails;
// Slurm itself never unlinks it (22.05 to 25.11).  This part runs as root in slurmstepd.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace sckpt::plugin {

// Directory of slurmd's spool on this node (SlurmdSpoolDir with %n and %h expanded by Slurm), read from the address
// that the calling slurmstepd itself listens on: <directory>/<node>_<job>.<step>.  Empty: this process listens on no
// such.
std::string spool_directory_of_step(std::uint32_t job, std::uint32_t step);

enum class SocketFound {
    kNone,     // no file of this name
    kRemoved,  // a socket that nobody listens on: unlinked
    kAlive,    // somebody listens: left alone
    kForeign,  // no socket, or not the caller's: left alone
};

// Looks at <spool>/stepd.slurm.pmix.<job>.<step>, nothing else.  Error: it should go but could not be unlinked.
std::expected<SocketFound, std::string> remove_stale_pmix_socket(const std::string &spool, std::uint32_t job,
                                                                 std::uint32_t step);

}  // namespace sckpt::plugin
