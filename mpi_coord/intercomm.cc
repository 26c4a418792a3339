// Intercommunicators: constructors and rebuild (MPI-3.1, 6.6), and connections to processes of other jobs (10).
//
// To the agreement an intercommunicator is a communicator of the members of both groups.  Its id is derived without a
// message: all members know both groups when it is made, and how often an intercommunicator between the two was made
// before.  What is made from one is counted as on any parent, the same in both groups.
//
// MPI_Intercomm_create itself is two collectives at once: one of each group on its local communicator, and one of the
// two leaders, which have no communicator in common that says so; they meet (coordinator.h).  So whoever is inside
// makes the members of its own group owe, and through the leaders those of the other.
#include <algorithm>

#include "mpi_coord/alias.h"
#include "mpi_coord/construct.h"
#include "mpi_coord/coordinator.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// What a restart tells two exchanges of leaders apart by; those of the same leaders are in the order of ids anyhow.
int tag_of(std::uint64_t id) { return static_cast<int>(id & 0x7fff); }

// Before MPI_Intercomm_create: stands at the gate, announces and counts.
Inside enter_creation(CommRecord *local, int local_leader, MPI_Comm peer, int remote_leader, int tag) {
    // Significant in the leaders only: the others may pass anything.
    const bool leads = local && local->info && local->info->rank == local_leader;
    const CommRecord *bridge = leads ? record_of(peer) : nullptr;
    const bool can_meet = bridge && bridge->info && !bridge->info->foreign && !local->info->foreign &&
                          remote_leader >= 0 && static_cast<size_t>(remote_leader) < bridge->info->peers().size();
    if (!can_meet) return Inside(local);
    std::uint32_t leaders[] = {static_cast<std::uint32_t>(world_rank()),
                               bridge->info->peers()[static_cast<size_t>(remote_leader)]};
    std::ranges::sort(leaders);
    return {local, mix_id(mix_id(~bridge->info->id, static_cast<std::uint64_t>(tag)), leaders), leaders};
}

// The same in both groups.
std::uint64_t id_between(MPI_Comm real) {
    std::vector<std::uint32_t> one = world_ranks(real, lower.Comm_group);
    std::vector<std::uint32_t> other = world_ranks(real, lower.Comm_remote_group);
    if (other < one) std::swap(one, other);
    const std::uint64_t key = mix_id(mix_id(one.size(), one), other);
    return mix_id(key, ++record_of(MPI_COMM_WORLD)->info->group_children[key]);
}

// constructor(MPI_Comm *real) -> MPI error code.  While a connection lives no checkpoint is taken, so it has no part in
// the agreement: an epoch under way is given up.
template <class Constructor>
int connect(MPI_Comm *result, const char *name, Constructor constructor) {
    Guard guard;
    const InsideUncounted inside(name);
    MPI_Comm real = nullptr;
    const int error = constructor(&real);
    if (error == MPI_SUCCESS) *result = adopt_communicator(real, 0, name);
    return error;
}

bool is_significant(int root, MPI_Comm comm) {
    return record_of(comm) && record_of(comm)->info && record_of(comm)->info->rank == root;
}

}  // namespace

MPI_Comm make_between(const CommInfo &info) {
    MPI_Comm local = make_among(info.world, info.id), made = nullptr;
    const int error = lower.Intercomm_create(local, 0, real_of(MPI_COMM_WORLD), static_cast<int>(info.remote.front()),
                                             tag_of(info.id), &made);
    if (error != MPI_SUCCESS) die("cannot make intercommunicator %s again: MPI error %d", info.name.c_str(), error);
    lower.Comm_free(&local);
    return made;
}

extern "C" {

int PMPI_Intercomm_create(MPI_Comm local, int local_leader, MPI_Comm peer, int remote_leader, int tag,
                          MPI_Comm *result) {
    Guard guard;
    CommRecord *about = record_of(local);
    // Not to be followed where it is not significant.
    const bool leads = is_significant(local_leader, local);
    MPI_Comm real = nullptr;
    const int error = [&] {
        const Inside inside = enter_creation(about, local_leader, peer, remote_leader, tag);
        return lower.Intercomm_create(real_of(local), local_leader, leads ? real_of(peer) : peer, remote_leader, tag,
                                      &real);
    }();
    if (error != MPI_SUCCESS) return error;
    *result = adopt_communicator(real, about->info->foreign ? 0 : id_between(real), "MPI_Intercomm_create");
    inherit_errhandler(about, record_of(*result));
    return error;
}

int PMPI_Intercomm_merge(MPI_Comm comm, int high, MPI_Comm *result) {
    Guard guard;
    return construct(record_of(comm), result, "MPI_Intercomm_merge",
                     [=](MPI_Comm *real) { return lower.Intercomm_merge(real_of(comm), high, real); });
}

int PMPI_Comm_spawn(const char *command, char *arguments[], int processes, MPI_Info info, int root, MPI_Comm comm,
                    MPI_Comm *result, int errors[]) {
    return connect(result, "MPI_Comm_spawn", [=](MPI_Comm *real) {
        const bool significant = is_significant(root, comm);
        return lower.Comm_spawn(command, arguments, processes, significant ? real_of(info) : info, root, real_of(comm),
                                real, errors);
    });
}

int PMPI_Comm_spawn_multiple(int count, char *commands[], char **arguments[], const int processes[],
                             const MPI_Info infos[], int root, MPI_Comm comm, MPI_Comm *result, int errors[]) {
    return connect(result, "MPI_Comm_spawn_multiple", [=](MPI_Comm *real) {
        std::vector<MPI_Info> real_infos;
        const bool significant = is_significant(root, comm);
        for (int i = 0; significant && i < count; ++i) real_infos.push_back(real_of(infos[i]));
        return lower.Comm_spawn_multiple(count, commands, arguments, processes, significant ? real_infos.data() : infos,
                                         root, real_of(comm), real, errors);
    });
}

int PMPI_Comm_accept(const char *port, MPI_Info info, int root, MPI_Comm comm, MPI_Comm *result) {
    return connect(result, "MPI_Comm_accept", [=](MPI_Comm *real) {
        return lower.Comm_accept(port, is_significant(root, comm) ? real_of(info) : info, root, real_of(comm), real);
    });
}

int PMPI_Comm_connect(const char *port, MPI_Info info, int root, MPI_Comm comm, MPI_Comm *result) {
    return connect(result, "MPI_Comm_connect", [=](MPI_Comm *real) {
        return lower.Comm_connect(port, is_significant(root, comm) ? real_of(info) : info, root, real_of(comm), real);
    });
}

int PMPI_Comm_join(int descriptor, MPI_Comm *result) {
    return connect(result, "MPI_Comm_join", [=](MPI_Comm *real) { return lower.Comm_join(descriptor, real); });
}

int PMPI_Comm_get_parent(MPI_Comm *parent) {
    Guard guard;
    MPI_Comm real = nullptr;
    const int error = lower.Comm_get_parent(&real);
    if (error != MPI_SUCCESS) return error;
    for (Record *record = live_records[static_cast<size_t>(Kind::Comm)].first; record; record = record->next)
        if (record->real == real) {
            *parent = handle_of(static_cast<CommRecord *>(record));
            return error;
        }
    *parent = adopt_communicator(real, 0, "MPI_Comm_get_parent");
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Intercomm_create)
SCKPT_ALIAS(Intercomm_merge)
SCKPT_ALIAS(Comm_spawn)
SCKPT_ALIAS(Comm_spawn_multiple)
SCKPT_ALIAS(Comm_accept)
SCKPT_ALIAS(Comm_connect)
SCKPT_ALIAS(Comm_join)
SCKPT_ALIAS(Comm_get_parent)

}  // namespace sckpt::mpi
