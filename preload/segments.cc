#include "preload/segments.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <algorithm>
#include <vector>

#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Known {
    int id, kernel_id;
};
// Those that the program has asked for or attached, and those that a restart has made.
std::vector<Known> known;
Spin lock;

long stat_segment(int kernel_id, shmid_ds &state) {
    return system_call(SYS_shmctl, kernel_id, IPC_STAT, as_long(&state));
}

int to_kernel(int id) {
    const Locked locked(lock);
    const auto found = std::ranges::find(known, id, &Known::id);
    return found == known.end() ? id : found->kernel_id;
}

// The program's id for one of the kernel's.  A new segment can have a number that the program knows as another's.
int to_program(int kernel_id) {
    const Locked locked(lock);
    if (const auto found = std::ranges::find(known, kernel_id, &Known::kernel_id); found != known.end())
        return found->id;
    int id = kernel_id;
    while (std::ranges::find(known, id, &Known::id) != known.end()) id = (id + 1) & 0x7fffffff;
    known.push_back({id, kernel_id});
    return id;
}

}  // namespace

bool find_segment(std::uint64_t inode, Segment &segment) {
    segment.kernel_id = static_cast<int>(inode);
    shmid_ds state{};
    if (stat_segment(segment.kernel_id, state) < 0) return false;
    segment.id = to_program(segment.kernel_id);
    segment.key = state.shm_perm.__key;
    segment.size = state.shm_segsz;
    segment.mode = state.shm_perm.mode & 0777;
    segment.removed = state.shm_perm.mode & SHM_DEST;
    return true;
}

int unattached_segment(const int *attached, std::size_t count) {
    const Locked locked(lock);
    for (const Known &one : known) {
        shmid_ds state{};
        if (std::find(attached, attached + count, one.kernel_id) == attached + count &&
            stat_segment(one.kernel_id, state) >= 0)
            return one.id;
    }
    return -1;
}

long make_segment(const Segment &segment, int key) {
    const long made =
        system_call(SYS_shmget, key, static_cast<long>(segment.size), static_cast<long>(IPC_CREAT | segment.mode));
    if (made < 0) return made;
    const Locked locked(lock);
    const auto found = std::ranges::find(known, segment.id, &Known::id);
    if (found != known.end())
        found->kernel_id = static_cast<int>(made);
    else
        known.push_back({segment.id, static_cast<int>(made)});
    return made;
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int shmget(key_t key, size_t size, int flags) noexcept {
    const bool noted = recording();
    const int id = real::shmget(key, size, flags);
    return noted && id >= 0 ? to_program(id) : id;
}

SCKPT_WRAPPER void *shmat(int id, const void *address, int flags) noexcept {
    if (!recording()) return real::shmat(id, address, flags);
    const int kernel_id = to_kernel(id);
    void *result = real::shmat(kernel_id, address, flags);
    if (result != reinterpret_cast<void *>(-1)) to_program(kernel_id);
    return result;
}

SCKPT_WRAPPER int shmctl(int id, int command, shmid_ds *state) noexcept {
    if (!recording()) return real::shmctl(id, command, state);
    // Others take an index, or nothing.
    const bool takes_id = command == IPC_STAT || command == IPC_SET || command == IPC_RMID || command == SHM_LOCK ||
                          command == SHM_UNLOCK;
    return real::shmctl(takes_id ? to_kernel(id) : id, command, state);
}
