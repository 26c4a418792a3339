// Windows: constructors and free, record and rebuild.
#include "mpi_coord/win.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/errhandler.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

int fail(const CommRecord *comm, int error) {
    lower.Comm_call_errhandler(static_cast<MPI_Comm>(comm->real), error);
    return error;
}

int fail(const WinRecord *win, int error) {
    lower.Win_call_errhandler(static_cast<MPI_Win>(win->real), error);
    return error;
}

// What MPI itself refuses is for the lower half to say, with the right error handler.
bool plausible(const CommRecord *parent, MPI_Aint size, int unit, MPI_Info info, const void *result) {
    return parent && parent->info && !parent->info->inter && size >= 0 && unit > 0 && info && result;
}

int make_window(CommRecord *parent, const char *constructor, std::unique_ptr<WinInfo> info, MPI_Info hints,
                MPI_Win *result) {
    CommRecord *own = nullptr;
    if (const int error = make_companion(parent, constructor, &own); error != MPI_SUCCESS) return error;
    MPI_Win real = nullptr;
    int error = MPI_SUCCESS;
    {
        const Inside inside(own);
        error = make_live(*info, real_of(hints), own, &real);
    }
    if (error != MPI_SUCCESS) {
        release_memory(*info);
        free_companion(own);
        return fail(parent, error);
    }
    info->made = true;
    int *model = nullptr, found = 0;
    if (lower.Win_get_attr(real, MPI_WIN_MODEL, &model, &found) == MPI_SUCCESS && found) info->model = *model;
    auto *record = new WinRecord;
    record->real = real;
    record->kind = Kind::Win;
    record->info = info.release();
    record->comm = own;
    enlist(record);  // from here on other threads see it
    *result = handle_of(record);
    return MPI_SUCCESS;
}

std::unique_ptr<WinInfo> describe(int flavor, MPI_Aint size, int unit) {
    auto info = std::make_unique<WinInfo>();
    info->flavor = flavor;
    info->size = size;
    info->unit = unit;
    return info;
}

bool wants_gaps(MPI_Info info) {
    char value[8] = "";
    int found = 0;
    if (info == MPI_INFO_NULL) return false;
    lower.Info_get(real_of(info), "alloc_shared_noncontig", sizeof value - 1, value, &found);
    return found && (std::string_view(value) == "true" || std::string_view(value) == "1");
}

template <class Function>
int allocate(Function LowerTable::*refuse, const char *constructor, int flavor, MPI_Aint size, int unit, MPI_Info info,
             MPI_Comm comm, void *base, MPI_Win *result) {
    Guard guard;
    MPI_Win real = nullptr;
    void *nowhere = nullptr;
    if (!plausible(record_of(comm), size, unit, info, result) || !base)
        return (lower.*refuse)(size, unit, real_of(info), real_of(comm), base ? &nowhere : nullptr,
                               result ? &real : nullptr);
    auto made = describe(flavor, size, unit);
    made->gaps = flavor == MPI_WIN_FLAVOR_SHARED && wants_gaps(info);
    const int error = make_window(record_of(comm), constructor, std::move(made), info, result);
    if (error == MPI_SUCCESS) *static_cast<void **>(base) = record_of(*result)->info->base;
    return error;
}

void record_window(WinRecord *win) {
    WinInfo &info = *win->info;
    const auto real = static_cast<MPI_Win>(win->real);
    const auto comm = static_cast<MPI_Comm>(win->comm->real);
    char name[MPI_MAX_OBJECT_NAME];
    int length = 0;
    if (lower.Win_get_name(real, name, &length) == MPI_SUCCESS) info.name.assign(name, static_cast<size_t>(length));
    MPI_Info hints = nullptr;
    if (lower.Win_get_info(real, &hints) == MPI_SUCCESS && hints) info.hints = take_info(hints);
    // A target that has not come to MPI_Win_wait is told again that we have completed, if that was so.
    info.completed.clear();
    if (!any_of(win->comm, info.exposed)) return;
    const size_t members = win->comm->info->world.size();
    std::vector<std::uint64_t> posted(members), open(members);
    for (const int origin : info.exposed_group)
        if (info.exposed) posted[static_cast<size_t>(origin)] = info.posts[static_cast<size_t>(origin)];
    lower.Alltoall(posted.data(), 1, real_of(MPI_UINT64_T), open.data(), 1, real_of(MPI_UINT64_T), comm);
    for (size_t target = 0; target < members; ++target)
        if (open[target] != 0 && !info.completions.empty() && info.completions[target] == open[target])
            info.completed.push_back(static_cast<int>(target));
}

MPI_Group group_of(MPI_Win real, const std::vector<int> &members) {
    MPI_Group all, group;
    lower.Win_get_group(real, &all);
    lower.Group_incl(all, static_cast<int>(members.size()), members.data(), &group);
    lower.Group_free(&all);
    return group;
}

int expose_again(MPI_Win real, const WinInfo &info) {
    MPI_Group group = group_of(real, info.exposed_group);
    const int error = lower.Win_post(group, info.exposed_assertion & ~MPI_MODE_NOCHECK, real);
    lower.Group_free(&group);
    return error;
}

int complete_again(MPI_Win real, const WinInfo &info) {
    MPI_Group group = group_of(real, info.completed);
    int error = lower.Win_start(group, 0, real);
    if (error == MPI_SUCCESS) error = lower.Win_complete(real);
    lower.Group_free(&group);
    return error;
}

// Nobody competes for them: all who hold one held it at the cut.  The flush makes sure that each is granted before
// anybody goes on who could ask for it.
int lock_again(MPI_Win real, const WinInfo &info) {
    if (!info.holds_lock()) return MPI_SUCCESS;
    int error = info.all_locked ? lower.Win_lock_all(info.all_locked_assertion, real) : MPI_SUCCESS;
    for (size_t target = 0; target < info.locks.size() && error == MPI_SUCCESS; ++target)
        if (const HeldLock &lock = info.locks[target]; lock.type != 0)
            error = lower.Win_lock(lock.type, static_cast<int>(target), lock.assertion, real);
    return error == MPI_SUCCESS ? lower.Win_flush_all(real) : error;
}

// Returns what failed, or null.
const char *rebuild_window(WinRecord *win) {
    WinInfo &info = *win->info;
    const auto comm = static_cast<MPI_Comm>(win->comm->real);
    MPI_Info hints = make_info(info.hints);
    if (info.gaps) lower.Info_set(hints, "alloc_shared_noncontig", "true");
    MPI_Win real = nullptr;
    const int error = make_live(info, hints, win->comm, &real);
    lower.Info_free(&hints);
    if (error != MPI_SUCCESS) return "MPI_Win_create";
    win->real = real;
    if (info.memory) fill_memory(info.memory.get());
    const QuietWin quiet(real);
    lower.Win_set_name(real, info.name.c_str());
    for (const auto &[start, size] : info.attached)
        if (lower.Win_attach(real, start, size) != MPI_SUCCESS) return "MPI_Win_attach";
    if (info.fenced && lower.Win_fence(MPI_MODE_NOPRECEDE, real) != MPI_SUCCESS) return "MPI_Win_fence";
    if (info.exposed && expose_again(real, info) != MPI_SUCCESS) return "MPI_Win_post";
    if (!info.completed.empty() && complete_again(real, info) != MPI_SUCCESS) return "MPI_Win_complete";
    if (lock_again(real, info) != MPI_SUCCESS) return "MPI_Win_lock";
    info.unsure = false;
    lower.Barrier(comm);  // until here each may need the help of the others
    return nullptr;
}

// Collective: a sentence in all members when they share memory and are not on one node any more.
std::string find_apart(const WinRecord *win) {
    if (win->info->flavor != MPI_WIN_FLAVOR_SHARED) return {};
    const std::size_t members = win->comm->info->world.size();
    MPI_Comm node = nullptr;
    int together = 0;
    lower.Comm_split_type(static_cast<MPI_Comm>(win->comm->real), MPI_COMM_TYPE_SHARED, 0, real_of(MPI_INFO_NULL),
                          &node);
    lower.Comm_size(node, &together);
    lower.Comm_free(&node);
    if (!any_of(win->comm, static_cast<std::size_t>(together) != members)) return {};
    return std::to_string(members) +
           " ranks share the memory of a window (MPI_Win_allocate_shared) and have to be on one node; they are not";
}

std::int64_t order_of(const WinRecord *win) { return static_cast<std::int64_t>(win->comm->info->id); }

}  // namespace

QuietWin::QuietWin(MPI_Win real) : real_(real) {
    lower.Win_get_errhandler(real, &handler_);
    lower.Win_set_errhandler(real, real_of(MPI_ERRORS_RETURN));
}

QuietWin::~QuietWin() {
    if (!handler_) return;
    lower.Win_set_errhandler(real_, handler_);
    lower.Errhandler_free(&handler_);
}

std::vector<WinRecord *> windows_in_order() {
    std::vector<WinRecord *> windows;
    for_each_live<WinRecord>(Kind::Win, [&](WinRecord *win) { windows.push_back(win); });
    std::ranges::sort(windows, {}, order_of);
    return windows;
}

std::string record_windows() {
    std::string refusal;
    for (WinRecord *win : windows_in_order()) {
        const QuietWin quiet(static_cast<MPI_Win>(win->real));
        record_window(win);
        WinMemory *memory = win->info->memory.get();
        if (!memory) continue;
        const bool keep = win->info->flavor == MPI_WIN_FLAVOR_ALLOCATE || win->comm->info->rank == 0;
        std::string failure = put_aside(memory, keep);
        if (refusal.empty()) refusal = std::move(failure);
    }
    return refusal;
}

// The first who went on could write into the memory of a member whose snapshot is still to be taken.
void resume_windows() {
    for (const WinRecord *win : windows_in_order()) {
        if (win->info->memory) show_again(win->info->memory.get());
        lower.Barrier(static_cast<MPI_Comm>(win->comm->real));
    }
}

// One window at a time in all of the job: Open MPI 4.1 (osc/rdma) names a file in /dev/shm by job and communicator
// number, which communicators without common members may share.
std::string rebuild_windows() {
    const std::vector<WinRecord *> windows = windows_in_order();
    auto next = windows.begin();
    for (;;) {
        const std::int64_t mine = next != windows.end() ? order_of(*next) : INT64_MAX;
        const std::int64_t turn = agree_minimum(mine);
        if (turn == INT64_MAX) return {};
        if (turn != mine) continue;
        WinRecord *win = *next++;
        if (std::string failure = find_apart(win); !failure.empty()) return failure;
        if (const char *what = rebuild_window(win))
            die("cannot make a window again (%s of %zu ranks)", what, win->comm->info->world.size());
    }
}

void describe_windows(Describe describe, void *context) {
    for (const WinRecord *win : windows_in_order()) {
        const WinInfo &info = *win->info;
        char text[200];
        snprintf(text, sizeof text, "%s%s%ld bytes at %p, unit %d%s%s%s, %d locks%s", info.name.c_str(),
                 info.name.empty() ? "" : ": ", static_cast<long>(info.size), info.base, info.unit,
                 info.fenced ? ", fenced" : "", info.exposed ? ", exposed" : "", info.all_locked ? ", all locked" : "",
                 info.locked, info.completed.empty() ? "" : ", a completion not yet waited for");
        describe(context, "window",
                 info.flavor == MPI_WIN_FLAVOR_CREATE     ? "MPI_Win_create"
                 : info.flavor == MPI_WIN_FLAVOR_ALLOCATE ? "MPI_Win_allocate"
                 : info.flavor == MPI_WIN_FLAVOR_SHARED   ? "MPI_Win_allocate_shared"
                                                          : "MPI_Win_create_dynamic",
                 text);
    }
}

extern "C" {

int PMPI_Win_create(void *base, MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, MPI_Win *result) {
    Guard guard;
    MPI_Win real = nullptr;
    if (!plausible(record_of(comm), size, unit, info, result))
        return lower.Win_create(base, size, unit, real_of(info), real_of(comm), result ? &real : nullptr);
    auto made = describe(MPI_WIN_FLAVOR_CREATE, size, unit);
    made->base = base;
    return make_window(record_of(comm), "MPI_Win_create", std::move(made), info, result);
}

int PMPI_Win_allocate(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *result) {
    return allocate(&LowerTable::Win_allocate, "MPI_Win_allocate", MPI_WIN_FLAVOR_ALLOCATE, size, unit, info, comm, base,
                    result);
}

int PMPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *result) {
    return allocate(&LowerTable::Win_allocate_shared, "MPI_Win_allocate_shared", MPI_WIN_FLAVOR_SHARED, size, unit, info,
                    comm, base, result);
}

int PMPI_Win_create_dynamic(MPI_Info info, MPI_Comm comm, MPI_Win *result) {
    Guard guard;
    MPI_Win real = nullptr;
    if (!plausible(record_of(comm), 0, 1, info, result))
        return lower.Win_create_dynamic(real_of(info), real_of(comm), result ? &real : nullptr);
    return make_window(record_of(comm), "MPI_Win_create_dynamic", describe(MPI_WIN_FLAVOR_DYNAMIC, 0, 1), info, result);
}

int PMPI_Win_free(MPI_Win *win) {
    Guard guard;
    WinRecord *record = win ? record_of(*win) : nullptr;
    if (!record || record->predefined) {
        MPI_Win real = record ? static_cast<MPI_Win>(record->real) : nullptr;
        return lower.Win_free(win ? &real : nullptr);
    }
    if (const int error = delete_attributes(record); error != MPI_SUCCESS) return error;
    const Inside inside(record->comm);
    auto real = static_cast<MPI_Win>(record->real);
    const int error = lower.Win_free(&real);
    if (error != MPI_SUCCESS) return error;
    drop_errhandler(record);
    delist(record);
    free_companion(record->comm);
    release_memory(*record->info);
    delete record->info;
    delete record;
    *win = MPI_WIN_NULL;
    return error;
}

int PMPI_Win_attach(MPI_Win win, void *base, MPI_Aint size) {
    Guard guard;
    const int error = lower.Win_attach(real_of(win), base, size);
    if (error == MPI_SUCCESS) record_of(win)->info->attached.emplace_back(base, size);
    return error;
}

int PMPI_Win_detach(MPI_Win win, const void *base) {
    Guard guard;
    const int error = lower.Win_detach(real_of(win), base);
    if (error != MPI_SUCCESS) return error;
    auto &attached = record_of(win)->info->attached;
    const auto found = std::ranges::find(attached, base, [](const auto &part) -> const void * { return part.first; });
    if (found != attached.end()) attached.erase(found);
    return error;
}

int PMPI_Win_shared_query(MPI_Win win, int target, MPI_Aint *size, int *unit, void *base) {
    Guard guard;
    const WinRecord *record = record_of(win);
    const WinInfo *info = record ? record->info : nullptr;
    if (info && info->flavor == MPI_WIN_FLAVOR_ALLOCATE) return fail(record, MPI_ERR_RMA_FLAVOR);
    if (info && info->owns_memory && size && unit && base) {  // its only member's
        if (target != 0 && target != MPI_PROC_NULL) return fail(record, MPI_ERR_RANK);
        *size = info->size;
        *unit = info->unit;
        *static_cast<void **>(base) = info->base;
        return MPI_SUCCESS;
    }
    const int error = lower.Win_shared_query(real_of(win), target, size, unit, base);
    if (error != MPI_SUCCESS || !info || !info->memory) return error;
    auto &place = *static_cast<char **>(base);
    if (place) place = info->memory->upper + (place - info->memory->lower);
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Win_create)
SCKPT_ALIAS(Win_allocate)
SCKPT_ALIAS(Win_allocate_shared)
SCKPT_ALIAS(Win_create_dynamic)
SCKPT_ALIAS(Win_free)
SCKPT_ALIAS(Win_attach)
SCKPT_ALIAS(Win_detach)
SCKPT_ALIAS(Win_shared_query)

}  // namespace sckpt::mpi
