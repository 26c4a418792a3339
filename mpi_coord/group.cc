// Groups: at the cut, the world ranks of their members.
#include <cstdio>
#include <numeric>

#include "mpi_coord/call.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// The group of MPI_COMM_WORLD for as long as it is needed.
class World {
  public:
    World() { lower.Comm_group(real_of(MPI_COMM_WORLD), &group_); }
    ~World() { lower.Group_free(&group_); }
    World(const World &) = delete;
    World &operator=(const World &) = delete;
    MPI_Group group() const { return group_; }

  private:
    MPI_Group group_ = nullptr;
};

}  // namespace

void record_groups() {
    const World world;
    for_each_live<GroupRecord>(Kind::Group, [&](GroupRecord *record) {
        const auto real = static_cast<MPI_Group>(record->real);
        int size = 0;
        lower.Group_size(real, &size);
        std::vector<int> own(static_cast<size_t>(size));
        std::iota(own.begin(), own.end(), 0);
        delete record->members;
        record->members = new std::vector<int>(static_cast<size_t>(size));
        const int error = lower.Group_translate_ranks(real, size, own.data(), world.group(), record->members->data());
        if (error != MPI_SUCCESS) die("cannot list the members of a group: MPI error %d", error);
        // Members from outside the world come with connections, and a checkpoint is declined while one lives; of a group
        // that outlives its connection those members are gone.
        std::erase(*record->members, MPI_UNDEFINED);
    });
}

void rebuild_groups() {
    const World world;
    for_each_live<GroupRecord>(Kind::Group, [&](GroupRecord *record) {
        SCKPT_ASSERT(record->members);
        const int error = lower.Group_incl(world.group(), static_cast<int>(record->members->size()),
                                           record->members->data(), reinterpret_cast<MPI_Group *>(&record->real));
        if (error != MPI_SUCCESS) die("cannot make a group again: MPI error %d", error);
        delete record->members;
        record->members = nullptr;
    });
}

void describe_groups(Describe describe, void *context) {
    for_each_live<GroupRecord>(Kind::Group, [&](GroupRecord *record) {
        if (!record->members) return;
        constexpr size_t kShown = 16;
        std::string text = std::to_string(record->members->size()) + " members:";
        for (size_t i = 0; i < record->members->size() && i < kShown; ++i)
            text += ' ' + std::to_string((*record->members)[i]);
        if (record->members->size() > kShown) text += " ...";
        describe(context, "group", "MPI_Group_incl", text.c_str());
    });
}

}  // namespace sckpt::mpi
