// Communicators: constructors, record and rebuild.
//
// A communicator is identified by how it came to be: the id of its parent, the number of the constructor call on it,
// and its first member.  All members compute the same number without a message.  At a restart every rank walks its
// communicators by ascending id and makes each with MPI_Comm_create_group from MPI_COMM_WORLD: one total order for all
// ranks, so nobody waits in a circle.
#include "mpi_coord/comm.h"

#include <algorithm>
#include <cstring>

#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/errhandler.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/wait.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// Ranks below zero that a call may name: MPI_ROOT is -4.
constexpr int kBelowZero = 4;

std::vector<std::uint32_t> members_of(MPI_Comm real) {
    MPI_Group group, everybody;
    int size = 0;
    lower.Comm_group(real, &group);
    lower.Comm_group(real_of(MPI_COMM_WORLD), &everybody);
    lower.Group_size(group, &size);
    std::vector<int> own(static_cast<size_t>(size)), world(static_cast<size_t>(size));
    for (int i = 0; i < size; ++i) own[static_cast<size_t>(i)] = i;
    lower.Group_translate_ranks(group, size, own.data(), everybody, world.data());
    lower.Group_free(&group);
    lower.Group_free(&everybody);
    return {world.begin(), world.end()};
}

std::uint64_t *new_counters(size_t members) {
    auto *counters = new std::uint64_t[members + kBelowZero];
    std::fill_n(counters, members + kBelowZero, 0);
    return counters + kBelowZero;
}

bool pending_on(const CommRecord *comm) {
    bool found = false;
    for_each_request([&](RequestRecord *request) { found |= request->active && request->comm == comm; });
    return found;
}

void destroy(CommRecord *comm) {
    forget_communicator(comm);
    retire_counts(comm);
    if (comm->sent) delete[] (comm->sent - kBelowZero);
    if (comm->received) delete[] (comm->received - kBelowZero);
    delete comm->info;
    delist(comm);
    delete comm;
}

void record_name(CommRecord *comm) {
    char name[MPI_MAX_OBJECT_NAME];
    int length = 0;
    lower.Comm_get_name(static_cast<MPI_Comm>(comm->real), name, &length);
    comm->info->name.assign(name, static_cast<size_t>(length));
}

void restore_name(const CommRecord *comm) {
    lower.Comm_set_name(static_cast<MPI_Comm>(comm->real), comm->info->name.c_str());
}

template <class Constructor>
int construct(CommRecord *parent, MPI_Comm *result, const char *name, Constructor constructor) {
    enter_collective(parent);
    MPI_Comm real = nullptr;
    self.in_collective = true;
    const int error = constructor(&real);
    self.in_collective = false;
    if (error != MPI_SUCCESS) return error;
    const std::uint64_t id = parent && parent->info ? next_child_id(parent) : 0;
    *result = adopt_communicator(real, id, name);
    inherit_errhandler(parent, record_of(*result));
    if (record_of(*result)->info && record_of(*result)->info->inter)
        ++hold_counts[static_cast<int>(Hold::intercommunicator)];
    return error;
}

int duplicate(MPI_Comm comm, MPI_Comm *result, const char *name, auto constructor) {
    Guard guard;
    CommRecord *parent = record_of(comm);
    int error = construct(parent, result, name, constructor);
    if (error != MPI_SUCCESS) return error;
    if (parent->info && parent->info->cartesian) record_of(*result)->info->cartesian = true;
    error = copy_attributes(parent, record_of(*result));
    if (error != MPI_SUCCESS) {
        MPI_Comm real = static_cast<MPI_Comm>(record_of(*result)->real);
        lower.Comm_free(&real);
        drop_errhandler(record_of(*result));
        destroy(record_of(*result));
        *result = MPI_COMM_NULL;
    }
    return error;
}

int release(MPI_Comm *comm, int (*function)(MPI_Comm *)) {
    Guard guard;
    CommRecord *record = comm ? record_of(*comm) : nullptr;
    if (!record || record->predefined) {
        MPI_Comm real = record ? static_cast<MPI_Comm>(record->real) : nullptr;
        return function(comm ? &real : nullptr);
    }
    if (const int error = delete_attributes(record); error != MPI_SUCCESS) return error;
    if (!record->info->inter) {
        enter_collective(record);
        if (pending_on(record)) {
            // What is pending completes although the communicator is freed (MPI-3.1, 6.4.3), before or after a restart:
            // it stays alive without a handle.
            record->freed = true;
            *comm = MPI_COMM_NULL;
            return MPI_SUCCESS;
        }
    }
    MPI_Comm real = static_cast<MPI_Comm>(record->real);
    self.in_collective = true;
    const int error = function(&real);
    self.in_collective = false;
    if (error != MPI_SUCCESS) return error;
    if (record->info->inter) --hold_counts[static_cast<int>(Hold::intercommunicator)];
    drop_errhandler(record);
    destroy(record);
    *comm = MPI_COMM_NULL;
    return error;
}

}  // namespace

void Peers::add(const CommRecord *comm, int peer) {
    if (!comm || !comm->info || comm->info->inter) return;
    const auto &world = comm->info->world;
    if (peer == MPI_ANY_SOURCE)
        ranks_.insert(ranks_.end(), world.begin(), world.end());
    else if (peer >= 0 && static_cast<size_t>(peer) < world.size())
        ranks_.push_back(world[static_cast<size_t>(peer)]);
}

std::uint64_t mix_id(std::uint64_t a, std::uint64_t b) {
    std::uint64_t x = a * 0x9e3779b97f4a7c15u ^ (b + 0x7f4a7c15u);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

std::uint64_t next_child_id(CommRecord *parent) { return mix_id(parent->info->id, ++parent->info->children); }

void describe_communicator(CommRecord *comm, std::uint64_t id, const char *constructor) {
    const MPI_Comm real = static_cast<MPI_Comm>(comm->real);
    auto *info = new CommInfo;
    int inter = 0;
    lower.Comm_test_inter(real, &inter);
    info->inter = inter != 0;
    info->constructor = constructor;
    info->world = members_of(real);
    lower.Comm_rank(real, &info->rank);
    size_t peers = info->world.size();
    if (info->inter) {
        int remote = 0;
        lower.Comm_remote_size(real, &remote);
        peers = std::max(peers, static_cast<size_t>(remote));
    } else {
        int topology = MPI_UNDEFINED;
        lower.Topo_test(real, &topology);
        info->cartesian = topology == MPI_CART;
    }
    info->id = mix_id(id, info->world.empty() ? 0 : *std::ranges::min_element(info->world));
    comm->info = info;
    comm->sent = new_counters(peers);
    comm->received = new_counters(peers);
    announce_communicator(comm);
}

MPI_Comm adopt_communicator(MPI_Comm real, std::uint64_t id, const char *constructor) {
    if (!real) return MPI_COMM_NULL;
    CommRecord *record = wrap<Kind::Comm>(real);
    if (!record->predefined) describe_communicator(record, id, constructor);
    return handle_of(record);
}

void record_communicators() {
    record_name(record_of(MPI_COMM_WORLD));
    record_name(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, [](CommRecord *comm) {
        const MPI_Comm real = static_cast<MPI_Comm>(comm->real);
        record_name(comm);
        if (!comm->info->cartesian) return;
        int dimensions = 0;
        lower.Cartdim_get(real, &dimensions);
        comm->info->dimensions.resize(static_cast<size_t>(dimensions));
        comm->info->periods.resize(static_cast<size_t>(dimensions));
        std::vector<int> coordinates(static_cast<size_t>(dimensions));
        lower.Cart_get(real, dimensions, comm->info->dimensions.data(), comm->info->periods.data(), coordinates.data());
    });
}

void rebuild_communicators() {
    std::vector<CommRecord *> ordered;
    for_each_live<CommRecord>(Kind::Comm, [&](CommRecord *comm) { ordered.push_back(comm); });
    restore_name(record_of(MPI_COMM_WORLD));
    restore_name(record_of(MPI_COMM_SELF));
    std::ranges::sort(ordered, {}, [](const CommRecord *comm) { return comm->info->id; });
    MPI_Group everybody;
    lower.Comm_group(real_of(MPI_COMM_WORLD), &everybody);
    for (CommRecord *comm : ordered) {
        const std::vector<int> ranks(comm->info->world.begin(), comm->info->world.end());
        MPI_Group group;
        MPI_Comm made;
        lower.Group_incl(everybody, static_cast<int>(ranks.size()), ranks.data(), &group);
        const int tag = static_cast<int>(comm->info->id & 0x7fff);
        const int error = lower.Comm_create_group(real_of(MPI_COMM_WORLD), group, tag, &made);
        lower.Group_free(&group);
        if (error != MPI_SUCCESS) die("cannot make communicator %s again: MPI error %d", comm->info->name.c_str(), error);
        if (comm->info->cartesian) {
            MPI_Comm plain = made;
            lower.Cart_create(plain, static_cast<int>(comm->info->dimensions.size()), comm->info->dimensions.data(),
                              comm->info->periods.data(), 0, &made);
            lower.Comm_free(&plain);
        }
        comm->real = made;
        restore_name(comm);
    }
    lower.Group_free(&everybody);
}

extern "C" {

int PMPI_Comm_dup(MPI_Comm comm, MPI_Comm *result) {
    return duplicate(comm, result, "MPI_Comm_dup", [=](MPI_Comm *real) { return lower.Comm_dup(real_of(comm), real); });
}

int PMPI_Comm_dup_with_info(MPI_Comm comm, MPI_Info info, MPI_Comm *result) {
    return duplicate(comm, result, "MPI_Comm_dup_with_info",
                     [=](MPI_Comm *real) { return lower.Comm_dup_with_info(real_of(comm), real_of(info), real); });
}

// The communicator may be used once the request completes.  Open MPI fills the handle in by then; ours needs its
// members at once, so the duplication is finished here and the request is one that completes at the next look at it.
int PMPI_Comm_idup(MPI_Comm comm, MPI_Comm *result, MPI_Request *request) {
    int error = duplicate(comm, result, "MPI_Comm_idup", [=](MPI_Comm *real) {
        MPI_Request pending;
        const int failed = lower.Comm_idup(real_of(comm), real, &pending);
        return failed != MPI_SUCCESS ? failed : lower.Wait(&pending, MPI_STATUS_IGNORE);
    });
    if (error != MPI_SUCCESS) return error;
    Guard guard;
    MPI_Request done;
    error = lower.Ibarrier(real_of(MPI_COMM_SELF), &done);
    if (error == MPI_SUCCESS) *request = handle_of(new_collective_request(done, record_of(MPI_COMM_SELF)));
    return error;
}

int PMPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *result) {
    Guard guard;
    return construct(record_of(comm), result, "MPI_Comm_split",
                     [=](MPI_Comm *real) { return lower.Comm_split(real_of(comm), color, key, real); });
}

int PMPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *result) {
    Guard guard;
    return construct(record_of(comm), result, "MPI_Comm_split_type", [=](MPI_Comm *real) {
        return lower.Comm_split_type(real_of(comm), type, key, real_of(info), real);
    });
}

int PMPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm *result) {
    Guard guard;
    return construct(record_of(comm), result, "MPI_Comm_create",
                     [=](MPI_Comm *real) { return lower.Comm_create(real_of(comm), real_of(group), real); });
}

// Collective over the group only.  An epoch under way is given up: the members that do not know of it cannot be told
// by an announcement on a communicator that does not exist yet.
int PMPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm *result) {
    Guard guard;
    if (attention.load() & kSettling) abandon_epoch_for("MPI_Comm_create_group was called");
    CommRecord *parent = record_of(comm);
    MPI_Comm real = nullptr;
    self.in_collective = true;
    const int error = lower.Comm_create_group(real_of(comm), real_of(group), tag, &real);
    self.in_collective = false;
    if (error != MPI_SUCCESS) return error;
    std::uint64_t key = static_cast<std::uint64_t>(tag);
    if (real && real != real_of(MPI_COMM_NULL))
        for (const std::uint32_t member : members_of(real)) key = mix_id(key, member);
    const std::uint64_t id = parent->info ? mix_id(mix_id(parent->info->id, key), ++parent->info->group_children[key]) : 0;
    *result = adopt_communicator(real, id, "MPI_Comm_create_group");
    inherit_errhandler(parent, record_of(*result));
    return error;
}

int PMPI_Intercomm_merge(MPI_Comm comm, int high, MPI_Comm *result) {
    Guard guard;
    if (attention.load() & kSettling) abandon_epoch_for("MPI_Intercomm_merge was called");
    MPI_Comm real = nullptr;
    const int error = lower.Intercomm_merge(real_of(comm), high, &real);
    if (error != MPI_SUCCESS) return error;
    std::uint64_t key = 0;
    for (const std::uint32_t member : members_of(real)) key = mix_id(key, member);
    CommRecord *world = record_of(MPI_COMM_WORLD);
    *result = adopt_communicator(real, mix_id(key, ++world->info->group_children[key]), "MPI_Intercomm_merge");
    inherit_errhandler(record_of(comm), record_of(*result));
    return error;
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

int PMPI_Comm_free(MPI_Comm *comm) { return release(comm, lower.Comm_free); }
int PMPI_Comm_disconnect(MPI_Comm *comm) { return release(comm, lower.Comm_disconnect); }

int PMPI_Comm_spawn_multiple(int count, char *commands[], char **arguments[], const int processes[],
                             const MPI_Info infos[], int root, MPI_Comm comm, MPI_Comm *result, int errors[]) {
    Guard guard;
    if (attention.load() & kSettling) abandon_epoch_for("MPI_Comm_spawn_multiple was called");
    std::vector<MPI_Info> real_infos;
    const bool significant = record_of(comm) && record_of(comm)->info && record_of(comm)->info->rank == root;
    for (int i = 0; significant && i < count; ++i) real_infos.push_back(real_of(infos[i]));
    MPI_Comm real = nullptr;
    const int error = lower.Comm_spawn_multiple(count, commands, arguments, processes,
                                                significant ? real_infos.data() : infos, root, real_of(comm), &real,
                                                errors);
    if (error != MPI_SUCCESS) return error;
    *result = adopt_communicator(real, 0, "MPI_Comm_spawn_multiple");
    ++hold_counts[static_cast<int>(Hold::intercommunicator)];
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Comm_dup)
SCKPT_ALIAS(Comm_dup_with_info)
SCKPT_ALIAS(Comm_idup)
SCKPT_ALIAS(Comm_split)
SCKPT_ALIAS(Comm_split_type)
SCKPT_ALIAS(Comm_create)
SCKPT_ALIAS(Comm_create_group)
SCKPT_ALIAS(Intercomm_merge)
SCKPT_ALIAS(Comm_get_parent)
SCKPT_ALIAS(Comm_free)
SCKPT_ALIAS(Comm_disconnect)
SCKPT_ALIAS(Comm_spawn_multiple)

}  // namespace sckpt::mpi
