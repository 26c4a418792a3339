// glibc keeps the id of a mutex's owner.  For most kinds that is between glibc and itself, and the id that the program
// knows (in the thread control block) serves for ever.  Of a robust mutex, and of one with priority inheritance or
// protection, the kernel reads the owner: to mark it when the owner ends, to lend it priority, to hand it on.  There it
// has to be the kernel's id.  So while a thread is in a call with such a mutex its control block says the kernel's id
// (ThreadRecord::by_kernel_id), and the owners of those that are held over a cut are written anew at the restart: robust
// ones are on the list that glibc keeps for the kernel, others in a table of all that were ever locked here.
//
// Every lock of the program passes here: an ordinary one costs a load and a predicted branch more.
#include "preload/mutexes.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/uio.h>

#include <atomic>

#include "preload/deadlines.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// Bits of __kind, nptl/pthreadP.h.
constexpr int kRobust = 16, kInherit = 32, kProtect = 64;

bool by_kernel_id(const pthread_mutex_t *mutex) {
    return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & (kRobust | kInherit | kProtect);
}

constexpr std::size_t kTable = 1 << 14, kProbes = 64;
std::atomic<pthread_mutex_t *> inheriting[kTable];
std::atomic<bool> table_full{false};

void note(pthread_mutex_t *mutex) {
    if (!(mutex->__data.__kind & (kInherit | kProtect))) return;
    std::size_t slot = (reinterpret_cast<std::uint64_t>(mutex) >> 3) * 0x9e3779b97f4a7c15ull >> 40;
    for (std::size_t probe = 0; probe < kProbes; ++probe, ++slot) {
        std::atomic<pthread_mutex_t *> &place = inheriting[slot % kTable];
        pthread_mutex_t *there = place.load(std::memory_order_relaxed);
        if (there == mutex || (!there && (place.compare_exchange_strong(there, mutex) || there == mutex))) return;
    }
    table_full = true;
}

std::atomic_ref<int> id_in_control_block(const ThreadRecord &record) {
    return std::atomic_ref(*reinterpret_cast<int *>(record.pthread + control_block().id));
}

// While it lives the control block of the calling thread says the kernel's id.
class ByKernelId {
  public:
    ByKernelId() {
        Busy busy;
        if (record_ && record_->by_kernel_id++ == 0) id_in_control_block(*record_) = record_->kernel_id;
    }
    ~ByKernelId() { end(this); }
    static void end(void *one) {  // in place of the destructor in a thread that is cancelled
        auto *self_ = static_cast<ByKernelId *>(one);
        Busy busy;
        if (self_->record_ && --self_->record_->by_kernel_id == 0) id_in_control_block(*self_->record_) = self_->record_->id;
    }
    ByKernelId(const ByKernelId &) = delete;
    ByKernelId &operator=(const ByKernelId &) = delete;

  private:
    ThreadRecord *record_ = self.record;
};

// The calling thread has just got the mutex.  glibc may have read the id before a restart and written it after.
void own(pthread_mutex_t *mutex) {
    Busy busy;
    if (!self.record) return;
    const int id = self.record->kernel_id;
    std::atomic_ref word(mutex->__data.__lock);
    for (int old = word; (old & static_cast<int>(FUTEX_TID_MASK)) != id;) {
        if (mutex->__data.__kind & kProtect) break;  // its word is no owner
        if (word.compare_exchange_weak(old, (old & ~static_cast<int>(FUTEX_TID_MASK)) | id)) break;
    }
    constexpr int kInconsistent = 0x7fffffff;  // PTHREAD_MUTEX_INCONSISTENT: its owner has died
    if (mutex->__data.__owner != kInconsistent) mutex->__data.__owner = id;
}

template <class Lock>
int lock(pthread_mutex_t *mutex, Lock real_lock) {
    recording();
    note(mutex);
    ByKernelId meanwhile;
    const int result = real_lock();
    if (result == 0 || result == EOWNERDEAD) own(mutex);
    return result;
}

// A condition gives the mutex back and takes it again.
template <class Wait>
int wait_with(pthread_mutex_t *mutex, Wait wait) {
    note(mutex);
    struct Taken {
        ByKernelId meanwhile;
        pthread_mutex_t *mutex;
    } taken{.meanwhile{}, .mutex = mutex};
    return undone_when_cancelled(
        [](void *one) {
            own(static_cast<Taken *>(one)->mutex);
            ByKernelId::end(&static_cast<Taken *>(one)->meanwhile);
        },
        &taken,
        [&] {
            const int result = wait();
            if (result == 0 || result == ETIMEDOUT || result == EOWNERDEAD) own(mutex);
            return result;
        });
}

// Of memory that may be no longer there.
template <class T>
bool copy(const void *from, T &to) {
    const iovec here{&to, sizeof to}, there{const_cast<void *>(from), sizeof to};
    return system_call(SYS_process_vm_readv, sys::gettid(), as_long(&here), 1, as_long(&there), 1, 0) == sizeof to;
}

int new_id(int old_id) {
    for (const ThreadRecord *record = all_threads; record && old_id; record = record->next)
        if (record->alive && !record->helper && record->kernel_id_at_cut == old_id) return record->kernel_id;
    return 0;
}

// `word` is the first of a mutex.  A waiter may already stand in line for it: only the bits of the owner change.
void write_owner(int *word, bool certain) {
    decltype(pthread_mutex_t::__data) seen;
    if (!copy(word, seen)) return;
    auto *mutex = reinterpret_cast<pthread_mutex_t *>(word);
    const int by_word = new_id(seen.__lock & static_cast<int>(FUTEX_TID_MASK)), by_owner = new_id(seen.__owner);
    // Memory that is something else by now would have to look like one that is held.
    if (!certain && (!(seen.__kind & (kInherit | kProtect)) || (seen.__kind & ~0xff) || !by_owner)) return;
    if (by_owner) mutex->__data.__owner = by_owner;
    if (by_word && !(seen.__kind & kProtect))
        mutex->__data.__lock = (seen.__lock & ~static_cast<int>(FUTEX_TID_MASK)) | by_word;
}

void write_owner_of_entry(std::uint64_t entry, long offset) {
    // The lowest bit says that the mutex has priority inheritance.
    if (entry) write_owner(reinterpret_cast<int *>((entry & ~1ull) + static_cast<std::uint64_t>(offset)), true);
}

}  // namespace

const char *blocker_mutexes() {
    return table_full ? "the program uses more than 16000 mutexes with priority inheritance or protection" : nullptr;
}

void restore_mutex_owners() {
    constexpr int kLongest = 2048;  // as the kernel follows a list
    for (const ThreadRecord *record = all_threads; record; record = record->next) {
        if (!record->alive || record->helper) continue;
        const auto *head = reinterpret_cast<const robust_list_head *>(record->pthread + control_block().robust_list);
        robust_list node = head->list;
        for (int i = 0; i < kLongest; ++i) {
            const auto entry = reinterpret_cast<std::uint64_t>(node.next);
            if ((entry & ~1ull) == reinterpret_cast<std::uint64_t>(&head->list)) break;
            write_owner_of_entry(entry, head->futex_offset);
            if (!copy(reinterpret_cast<const void *>(entry & ~1ull), node)) break;
        }
        write_owner_of_entry(reinterpret_cast<std::uint64_t>(head->list_op_pending), head->futex_offset);
    }
    for (const std::atomic<pthread_mutex_t *> &place : inheriting)
        if (pthread_mutex_t *mutex = place) write_owner(&mutex->__data.__lock, false);
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && !record->helper && record->by_kernel_id) id_in_control_block(*record) = record->kernel_id;
}

}  // namespace sckpt

using namespace sckpt;

#define PLAIN(name, arguments)                                                                   \
    if (!real::name) [[unlikely]]                                                                \
        real::find_all();                                                                        \
    if (!by_kernel_id(mutex)) [[likely]]                                                         \
        return real::name arguments

SCKPT_WRAPPER int pthread_mutex_lock(pthread_mutex_t *mutex) noexcept {
    PLAIN(pthread_mutex_lock, (mutex));
    return lock(mutex, [&] { return real::pthread_mutex_lock(mutex); });
}
SCKPT_WRAPPER int pthread_mutex_timedlock(pthread_mutex_t *mutex, const timespec *deadline) noexcept {
    PLAIN(pthread_mutex_timedlock, (mutex, deadline));
    return lock(mutex, [&] { return real::pthread_mutex_timedlock(mutex, deadline); });
}
SCKPT_WRAPPER int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const timespec *deadline) noexcept {
    if (!recording()) return real::pthread_mutex_clocklock(mutex, clock, deadline);
    KernelDeadline kernel(clock, deadline);
    PLAIN(pthread_mutex_clocklock, (mutex, clock, kernel.get()));
    return lock(mutex, [&] { return real::pthread_mutex_clocklock(mutex, clock, kernel.get()); });
}
// Those that do not wait are not parked inside.
SCKPT_WRAPPER int pthread_mutex_trylock(pthread_mutex_t *mutex) noexcept {
    PLAIN(pthread_mutex_trylock, (mutex));
    Busy busy;
    return lock(mutex, [&] { return real::pthread_mutex_trylock(mutex); });
}
SCKPT_WRAPPER int pthread_mutex_unlock(pthread_mutex_t *mutex) noexcept {
    PLAIN(pthread_mutex_unlock, (mutex));
    Busy busy;
    ByKernelId meanwhile;
    return real::pthread_mutex_unlock(mutex);
}
SCKPT_WRAPPER int pthread_mutex_consistent(pthread_mutex_t *mutex) noexcept {
    PLAIN(pthread_mutex_consistent, (mutex));
    Busy busy;
    ByKernelId meanwhile;
    return real::pthread_mutex_consistent(mutex);
}

SCKPT_WRAPPER int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    PLAIN(pthread_cond_wait, (condition, mutex));
    return wait_with(mutex, [&] { return real::pthread_cond_wait(condition, mutex); });
}
SCKPT_WRAPPER int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                                         const timespec *deadline) {
    auto wait = [&] {
        if (!recording()) return real::pthread_cond_clockwait(condition, mutex, clock, deadline);
        return wait_until(clock, deadline, [&](const timespec *kernel) {
            return real::pthread_cond_clockwait(condition, mutex, clock, kernel);
        });
    };
    return by_kernel_id(mutex) ? wait_with(mutex, wait) : wait();
}
SCKPT_WRAPPER int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const timespec *deadline) {
    // glibc, condvar internals: bit 1 of __wrefs says that the condition was made for CLOCK_MONOTONIC.
    const bool monotonic = __atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED) & 2;
    auto wait = [&] {
        if (!recording() || !monotonic) return real::pthread_cond_timedwait(condition, mutex, deadline);
        return wait_until(CLOCK_MONOTONIC, deadline, [&](const timespec *kernel) {
            return real::pthread_cond_timedwait(condition, mutex, kernel);
        });
    };
    return by_kernel_id(mutex) ? wait_with(mutex, wait) : wait();
}
