#include "preload/base/thread.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "preload/base/log.h"
#include "preload/base/system.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

namespace sckpt {

constinit thread_local ThreadState self [[gnu::tls_model("initial-exec")]];
std::atomic<std::uint32_t> attention{0};
std::atomic<ThreadRecord *> all_threads{nullptr};

namespace {
ControlBlock found{};
}

ThreadRecord *new_thread_record() {
    for (ThreadRecord *record = all_threads; record; record = record->next) {
        std::uint32_t ended = 0;
        if (record->alive.compare_exchange_strong(ended, 1)) {
            record->parking = Parking::running;
            record->detached = record->initial = record->helper = false;
            record->virtual_blocked = 0;
            record->by_kernel_id = record->kernel_id_at_cut = 0;
            record->kernel = {};
            record->id = record->kernel_id = 0;
            return record;
        }
    }
    auto *record = new ThreadRecord;
    record->alive = 1;
    record->next = all_threads;
    while (!all_threads.compare_exchange_weak(record->next, record)) {
    }
    return record;
}

void adopt_thread(ThreadRecord *record) {
    record->pthread = pthread_self();
    // glibc keeps it there, and so does the kernel in a thread that it has just made.
    record->id = record->kernel_id = *reinterpret_cast<const int *>(record->pthread + control_block().id);
    record->state = &self;
    self.record = record;
}

const ControlBlock &control_block() { return found; }

void find_control_block() {
    const std::uint64_t base = pthread_self();
    std::uint64_t tid_address = 0, robust = 0, robust_size = 0;
    system_call(SYS_get_robust_list, 0, as_long(&robust), as_long(&robust_size));
    if (system_call(SYS_prctl, PR_GET_TID_ADDRESS, as_long(&tid_address)) < 0) {
        // Kernels without CONFIG_CHECKPOINT_RESTORE: glibc keeps the id at most 64 bytes before the robust list.
        for (std::uint64_t at = robust - 64; at < robust; at += 4)
            if (*reinterpret_cast<int *>(at) == sys::gettid()) {
                tid_address = at;
                break;
            }
    }
    found = {tid_address - base, robust - base, robust_size};
    if (*reinterpret_cast<int *>(tid_address) != sys::gettid()) die("cannot find the thread id in glibc's control block");
}

}  // namespace sckpt
