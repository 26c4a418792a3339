// Communicators: what is known of one beyond its live handle.
#pragma once

#include <string>
#include <unordered_map>

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

struct CommInfo {
    std::uint64_t id = 0;              // the same on all members, derived from how it was made
    std::vector<std::uint32_t> world;  // world rank of each member, by rank
    int rank = 0;
    bool inter = false;
    bool cartesian = false;
    std::uint64_t children = 0;        // collective constructors called on it so far
    std::unordered_map<std::uint64_t, std::uint64_t> group_children;  // (group, tag) -> create_group calls so far
    std::string constructor;
    // at the cut
    std::string name;
    std::vector<int> dimensions, periods;
};

// Fills in a record whose live handle is new: members, counters; makes it known to the agreement.
void describe_communicator(CommRecord *comm, std::uint64_t id, const char *constructor);

// The id that the next collective constructor on `parent` gives; for those that make several at once (split) the first
// member tells them apart.
std::uint64_t next_child_id(CommRecord *parent);

// The record for what a collective constructor of `parent` returned; null handle for MPI_COMM_NULL.
MPI_Comm adopt_communicator(MPI_Comm real, std::uint64_t id, const char *constructor);

std::uint64_t mix_id(std::uint64_t a, std::uint64_t b);

}  // namespace sckpt::mpi
