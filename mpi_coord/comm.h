// Communicators: what is known of one beyond its live handle.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "mpi_coord/handles.h"
#include "mpi_coord/info.h"

namespace sckpt::mpi {

// A topology as MPI tells it at the cut (MPI-3.1, 7.5.5); which members are filled depends on the kind.
struct Topology {
    int kind = MPI_UNDEFINED;              // MPI_CART, MPI_GRAPH or MPI_DIST_GRAPH
    std::vector<int> dimensions, periods;  // MPI_CART
    std::vector<int> index, edges;         // MPI_GRAPH: of all nodes
    std::vector<int> sources, source_weights, destinations, destination_weights;  // MPI_DIST_GRAPH: of this rank
    bool weighted = false;  // MPI_DIST_GRAPH: the two arrays of weights mean something
};

struct CommInfo {
    std::uint64_t id = 0;               // the same on all members, derived from how it was made
    std::vector<std::uint32_t> world;   // world rank of each member (of the local group), by rank
    std::vector<std::uint32_t> remote;  // the same of the remote group of an intercommunicator
    int rank = 0;
    bool inter = false;
    // Made by MPI_Comm_spawn, accept, connect or join, or from such a one: checkpoints are declined while it lives, and
    // the agreement does not know it.
    bool foreign = false;
    std::int64_t persistent_collectives = 0;  // made on it so far, see persistent_collective.cc
    std::uint64_t children = 0;  // collective constructors called on it so far
    // How many came so far from MPI_Comm_create_group on this one, by group and tag; on MPI_COMM_WORLD, also from
    // MPI_Intercomm_create by pair of groups.
    std::unordered_map<std::uint64_t, std::uint64_t> group_children;
    std::string constructor;
    // at the cut
    std::string name;
    InfoEntries hints;                   // what MPI_Comm_get_info gives
    std::unique_ptr<Topology> topology;  // null when it has none

    // World ranks by the rank that point-to-point calls name.
    const std::vector<std::uint32_t> &peers() const { return inter ? remote : world; }
    // World ranks of all members, sorted.
    std::vector<std::uint32_t> everybody() const;
};

// Fills in a record whose live handle is new: members, counters; makes it known to the agreement.  Without an id (0) it
// is a foreign one.
void describe_communicator(CommRecord *comm, std::uint64_t id, const char *constructor);

// The id that the next collective constructor on `parent` gives; for those that make several at once (split) the first
// member tells them apart.  0 when the parent is foreign or none.
std::uint64_t next_child_id(CommRecord *parent);

// The record for what a collective constructor returned; null handle for MPI_COMM_NULL.
MPI_Comm adopt_communicator(MPI_Comm real, std::uint64_t id, const char *constructor);

// A communicator of ours with the members of `parent`, for another object made by a call that is collective over it: no
// attributes, no topology, errors are returned.  Announced and counted on `parent`, as that call has to be.
int make_companion(CommRecord *parent, const char *constructor, CommRecord **result);
void free_companion(CommRecord *companion);

// Collective over all members, of both groups: is it so in any of them?  Of several things at once: each is 0 or 1, and
// becomes 1 if it is so anywhere.
bool any_of(const CommRecord *comm, bool mine);
void any_of(const CommRecord *comm, std::span<int> mine);

std::uint64_t mix_id(std::uint64_t a, std::uint64_t b);
std::uint64_t mix_id(std::uint64_t a, std::span<const std::uint32_t> members);

// World ranks of the members of a live group, or of the group of a live communicator that `group_of` gives;
// MPI_UNDEFINED for those of other jobs.
std::vector<std::uint32_t> world_ranks(MPI_Group real);
std::vector<std::uint32_t> world_ranks(MPI_Comm real, int (*group_of)(MPI_Comm, MPI_Group *));

// At a restart, live handles: a communicator among these world ranks, collective over them.
MPI_Comm make_among(const std::vector<std::uint32_t> &world, std::uint64_t id);
// An intercommunicator, collective over both groups (intercomm.cc).
MPI_Comm make_between(const CommInfo &info);

// Record and rebuild of topologies (topology.cc); the latter replaces comm->real, collective over the communicator.
void record_topology(CommRecord *comm);
void rebuild_topology(CommRecord *comm);

}  // namespace sckpt::mpi
