// Communicators: constructors, record and rebuild.
//
// A communicator is identified by how it came to be: the id of its parent, the number of the constructor call on it,
// and its first member.  All members compute the same number without a message.  At a restart every rank walks its
// communicators by ascending id and makes each with MPI_Comm_create_group from MPI_COMM_WORLD (two of them and
// MPI_Intercomm_create for an intercommunicator): one total order for all ranks, so nobody waits in a circle.
#include "mpi_coord/comm.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/construct.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/hints.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/wait.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// Ranks below zero that a call may name: MPI_ROOT is -4.
constexpr int kBelowZero = 4;
// The world rank of a process that is not of this job.
constexpr auto kOutside = static_cast<std::uint32_t>(MPI_UNDEFINED);

std::uint64_t *new_counters(size_t members) {
    auto *counters = new std::uint64_t[members + kBelowZero];
    std::fill_n(counters, members + kBelowZero, 0);
    return counters + kBelowZero;
}

bool pending_on(const CommRecord *comm) {
    bool found = false;
    for_each_request(
        [&](RequestRecord *request) { found |= (request->active || request->persistent) && request->comm == comm; });
    return found;
}

void destroy(CommRecord *comm) {
    forget_communicator(comm);
    retire_counts(comm);
    if (comm->info->foreign) --hold_counts[static_cast<int>(Hold::connection)];
    if (comm->sent) delete[](comm->sent - kBelowZero);
    if (comm->received) delete[](comm->received - kBelowZero);
    delete comm->info;
    delist(comm);
    delete comm;
}

InfoEntries hints_of(MPI_Comm real) {
    MPI_Info info;
    return lower.Comm_get_info(real, &info) == MPI_SUCCESS ? take_info(info) : InfoEntries{};
}

// Hints that Open MPI does not know are kept by MPI_Comm_dup_with_info alone, which each member may give others.
void restore_hints(CommRecord *comm) {
    auto real = static_cast<MPI_Comm>(comm->real);
    const bool differ = hints_of(real) != comm->info->hints;
    if (comm->predefined ? !differ : !any_of(comm, differ)) return;
    MPI_Info info = make_info(comm->info->hints);
    if (comm->predefined) {
        lower.Comm_set_info(real, info);
    } else {
        MPI_Comm made = nullptr;
        if (const int error = lower.Comm_dup_with_info(real, info, &made); error != MPI_SUCCESS)
            die("cannot give a communicator its info again: MPI error %d", error);
        lower.Comm_free(&real);
        comm->real = made;
    }
    lower.Info_free(&info);
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

int duplicate(MPI_Comm comm, MPI_Comm *result, const char *name, auto constructor) {
    Guard guard;
    CommRecord *parent = record_of(comm);
    int error = construct(parent, result, name, constructor);
    if (error != MPI_SUCCESS) return error;
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
    const Inside inside(record);
    if (!record->info->foreign && pending_on(record)) {
        // What is pending completes although the communicator is freed (MPI-3.1, 6.4.3), before or after a restart:
        // it stays alive without a handle.
        record->freed = true;
        *comm = MPI_COMM_NULL;
        return MPI_SUCCESS;
    }
    give_back();
    MPI_Comm real = static_cast<MPI_Comm>(record->real);
    const int error = function(&real);
    if (error != MPI_SUCCESS) return error;
    drop_errhandler(record);
    destroy(record);
    *comm = MPI_COMM_NULL;
    return error;
}

}  // namespace

// A reduction over an intercommunicator tells of the remote group.
void any_of(const CommRecord *comm, std::span<int> mine) {
    std::vector<int> heard(mine.size());
    for (int round = 0; round < (comm->info->inter ? 2 : 1); ++round) {
        lower.Allreduce(mine.data(), heard.data(), static_cast<int>(mine.size()), real_of(MPI_INT), real_of(MPI_LOR),
                        static_cast<MPI_Comm>(comm->real));
        for (size_t i = 0; i < mine.size(); ++i) mine[i] |= heard[i];
    }
}

bool any_of(const CommRecord *comm, bool mine) {
    int told = mine;
    any_of(comm, std::span(&told, 1));
    return told != 0;
}

void Peers::add(const CommRecord *comm, int peer) {
    if (!comm || !comm->info || comm->info->foreign) return;
    const auto &world = comm->info->peers();
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

std::uint64_t mix_id(std::uint64_t a, std::span<const std::uint32_t> members) {
    for (const std::uint32_t member : members) a = mix_id(a, member);
    return a;
}

std::uint64_t next_child_id(CommRecord *parent) {
    if (!parent || !parent->info || parent->info->foreign) return 0;
    return mix_id(parent->info->id, ++parent->info->children);
}

std::vector<std::uint32_t> CommInfo::everybody() const {
    std::vector<std::uint32_t> all(world);
    all.insert(all.end(), remote.begin(), remote.end());
    std::ranges::sort(all);
    return all;
}

std::vector<std::uint32_t> world_ranks(MPI_Group real) {
    MPI_Group everybody;
    int size = 0;
    lower.Comm_group(real_of(MPI_COMM_WORLD), &everybody);
    lower.Group_size(real, &size);
    std::vector<int> own(static_cast<size_t>(size)), world(static_cast<size_t>(size));
    std::iota(own.begin(), own.end(), 0);
    lower.Group_translate_ranks(real, size, own.data(), everybody, world.data());
    lower.Group_free(&everybody);
    return {world.begin(), world.end()};
}

std::vector<std::uint32_t> world_ranks(MPI_Comm real, int (*group_of)(MPI_Comm, MPI_Group *)) {
    MPI_Group group;
    group_of(real, &group);
    std::vector<std::uint32_t> members = world_ranks(group);
    lower.Group_free(&group);
    return members;
}

void describe_communicator(CommRecord *comm, std::uint64_t id, const char *constructor) {
    const MPI_Comm real = static_cast<MPI_Comm>(comm->real);
    auto *info = new CommInfo;
    int inter = 0;
    lower.Comm_test_inter(real, &inter);
    info->inter = inter != 0;
    info->constructor = constructor;
    info->world = world_ranks(real, lower.Comm_group);
    if (info->inter) info->remote = world_ranks(real, lower.Comm_remote_group);
    lower.Comm_rank(real, &info->rank);
    const std::vector<std::uint32_t> everybody = info->everybody();
    info->foreign = id == 0 || (!everybody.empty() && everybody.back() == kOutside);
    if (info->foreign) ++hold_counts[static_cast<int>(Hold::connection)];
    info->id = mix_id(id, everybody.empty() ? 0 : everybody.front());
    const size_t peers = std::max(info->world.size(), info->remote.size());
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

MPI_Comm make_among(const std::vector<std::uint32_t> &world, std::uint64_t id) {
    const std::vector<int> ranks(world.begin(), world.end());
    MPI_Group everybody, group;
    MPI_Comm made = nullptr;
    lower.Comm_group(real_of(MPI_COMM_WORLD), &everybody);
    lower.Group_incl(everybody, static_cast<int>(ranks.size()), ranks.data(), &group);
    const int error = lower.Comm_create_group(real_of(MPI_COMM_WORLD), group, static_cast<int>(id & 0x7fff), &made);
    if (error != MPI_SUCCESS) die("cannot make a communicator of %zu ranks again: MPI error %d", ranks.size(), error);
    lower.Group_free(&group);
    lower.Group_free(&everybody);
    return made;
}

int make_companion(CommRecord *parent, const char *constructor, CommRecord **result) {
    MPI_Comm made = MPI_COMM_NULL;
    const int error = construct(parent, &made, constructor, [=](MPI_Comm *real) {
        const auto from = static_cast<MPI_Comm>(parent->real);
        MPI_Group group;
        if (const int failed = lower.Comm_group(from, &group); failed != MPI_SUCCESS) return failed;
        const int failed = lower.Comm_create(from, group, real);
        lower.Group_free(&group);
        return failed;
    });
    if (error != MPI_SUCCESS) return error;
    *result = record_of(made);
    return_errors(*result);
    return error;
}

void free_companion(CommRecord *companion) {
    if (!companion->info->foreign && pending_on(companion)) {
        companion->freed = true;
        return;
    }
    auto real = static_cast<MPI_Comm>(companion->real);
    lower.Comm_free(&real);
    drop_errhandler(companion);
    destroy(companion);
}

void record_communicators() {
    const auto record = [](CommRecord *comm) {
        record_name(comm);
        comm->info->hints = hints_of(static_cast<MPI_Comm>(comm->real));
    };
    record(record_of(MPI_COMM_WORLD));
    record(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, [&](CommRecord *comm) {
        if (comm->freed) return;
        record(comm);
        record_topology(comm);
    });
}

void rebuild_communicators() {
    std::vector<CommRecord *> ordered;
    for_each_live<CommRecord>(Kind::Comm, [&](CommRecord *comm) {
        // A freed one with requests on it lives on in some members only, and nobody can send on it any more.
        if (comm->freed)
            comm->real = real_of(MPI_COMM_NULL);
        else
            ordered.push_back(comm);
    });
    const auto restore = [](CommRecord *comm) {
        restore_hints(comm);
        restore_name(comm);
    };
    restore(record_of(MPI_COMM_WORLD));
    restore(record_of(MPI_COMM_SELF));
    std::ranges::sort(ordered, {}, [](const CommRecord *comm) { return comm->info->id; });
    for (CommRecord *comm : ordered) {
        comm->real = comm->info->inter ? make_between(*comm->info) : make_among(comm->info->world, comm->info->id);
        rebuild_topology(comm);
        restore(comm);
    }
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

// Collective over the group only, which may not have a communicator: it meets.  Different tags are different meetings,
// since threads may have several under way.
int PMPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm *result) {
    Guard guard;
    CommRecord *parent = record_of(comm);
    std::uint64_t key = 0;
    std::optional<Inside> inside;
    if (parent && parent->info && !parent->info->foreign && group && group != MPI_GROUP_NULL) {
        std::vector<std::uint32_t> members = world_ranks(real_of(group));
        key = mix_id(mix_id(parent->info->id, static_cast<std::uint64_t>(tag)), members);
        std::ranges::sort(members);
        if (std::ranges::binary_search(members, static_cast<std::uint32_t>(world_rank())))
            inside.emplace(nullptr, key, members);
    }
    MPI_Comm real = nullptr;
    const int error = lower.Comm_create_group(real_of(comm), real_of(group), tag, &real);
    inside.reset();
    if (error != MPI_SUCCESS) return error;
    *result =
        adopt_communicator(real, key ? mix_id(key, ++parent->info->group_children[key]) : 0, "MPI_Comm_create_group");
    inherit_errhandler(parent, record_of(*result));
    return error;
}

int PMPI_Comm_free(MPI_Comm *comm) { return release(comm, lower.Comm_free); }
int PMPI_Comm_disconnect(MPI_Comm *comm) { return release(comm, lower.Comm_disconnect); }

}  // extern "C"

SCKPT_ALIAS(Comm_dup)
SCKPT_ALIAS(Comm_dup_with_info)
SCKPT_ALIAS(Comm_idup)
SCKPT_ALIAS(Comm_split)
SCKPT_ALIAS(Comm_split_type)
SCKPT_ALIAS(Comm_create)
SCKPT_ALIAS(Comm_create_group)
SCKPT_ALIAS(Comm_free)
SCKPT_ALIAS(Comm_disconnect)

}  // namespace sckpt::mpi
