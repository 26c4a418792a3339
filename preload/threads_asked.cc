// Functions by which a thread is made, asked or joined that glibc carries out with calls of its own inside.
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "preload/deadlines.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

constexpr int kThreadSuccess = 0, kThreadError = 2, kThreadNoMemory = 3;  // threads.h, which is none of C++'s

struct Start {
    int (*function)(void *);
    void *argument;
};
void *run(void *argument) {
    const Start start = *static_cast<Start *>(argument);
    {
        Busy busy;
        delete static_cast<Start *>(argument);
    }
    return reinterpret_cast<void *>(static_cast<std::uintptr_t>(start.function(start.argument)));
}

// glibc asks the kernel for the processors of the id in the control block, and fails when there is no such thread.  So it
// is shown a copy of the block, with the kernel's id; what points at the block itself (a detached thread has it as who
// joins it) then points at the copy.
int ask_copy(const ThreadRecord *record, pthread_attr_t *attributes) {
    constexpr std::size_t kMost = 8192, kHead = 24;  // of the head, the first and third words are the address
    static const auto *size = static_cast<const std::uint32_t *>(dlsym(RTLD_NEXT, "_thread_db_sizeof_pthread"));
    const std::size_t bytes = size ? *size : 0;
    if (bytes < control_block().id + sizeof(int) || bytes > kMost)
        return real::pthread_getattr_np(record->pthread, attributes);
    alignas(64) char copy[kMost];
    memcpy(copy, reinterpret_cast<const void *>(record->pthread), bytes);
    const auto place = reinterpret_cast<std::uint64_t>(&copy[0]);
    for (std::size_t at = kHead; at + 8 <= bytes; at += 8)
        if (memcmp(copy + at, &record->pthread, 8) == 0) memcpy(copy + at, &place, 8);
    memcpy(copy + control_block().id, &record->kernel_id, sizeof(int));
    return real::pthread_getattr_np(place, attributes);
}

}  // namespace
}  // namespace sckpt

using namespace sckpt;

// pthread_t and thrd_t are the same, and so are the ways to end and to be joined.
SCKPT_WRAPPER int thrd_create(pthread_t *thread, int (*function)(void *), void *argument) {
    recording();
    Start *start;
    {
        Busy busy;
        start = new Start{function, argument};
    }
    const int error = pthread_create(thread, nullptr, run, start);
    if (error == 0) return kThreadSuccess;
    Busy busy;
    delete start;
    return error == ENOMEM ? kThreadNoMemory : kThreadError;
}

SCKPT_WRAPPER int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) noexcept {
    if (recording() && restored_process)
        for (const ThreadRecord *record = all_threads; record; record = record->next)
            if (record->alive && record->pthread == thread && record->id != record->kernel_id)
                return ask_copy(record, attributes);
    return real::pthread_getattr_np(thread, attributes);
}

SCKPT_WRAPPER int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const timespec *deadline) {
    if (!recording()) return real::pthread_clockjoin_np(thread, result, clock, deadline);
    return wait_until(clock, deadline, [&](const timespec *kernel) {
        return real::pthread_clockjoin_np(thread, result, clock, kernel);
    });
}
