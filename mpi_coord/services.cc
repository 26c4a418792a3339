// What the lower half asks of the base libc (lower/abi.h, sckpt_base_services): threads and thread-specific data.
//
// Helper threads of MPI are made with the base pthread_create on stacks that are in the image, and always joinable:
// at a restart they are gone, and joining them is what unlinks them from ld.so's lists and gives the stack back.
#include "mpi_coord/services.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "preload/base/log.h"
#include "preload/base/real.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"

namespace sckpt::mpi {
namespace {

struct HelperStart {
    void *(*function)(void *);
    void *argument;
    ThreadRecord *record;
};

void *run_helper(void *argument) {
    HelperStart start = *static_cast<HelperStart *>(argument);
    delete static_cast<HelperStart *>(argument);
    // The application's signals are for its own threads; faults stay where they happen, and parking must reach it.
    auto bit = [](int number) { return std::uint64_t{1} << (number - 1); };
    const std::uint64_t blocked =
        ~(bit(park_signal()) | bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGFPE) | bit(SIGTRAP) | bit(SIGABRT));
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&blocked), 0, sizeof blocked);
    adopt_thread(start.record);
    start_lower_thread();
    return start.function(start.argument);
}

// Keys made by the lower half since the snapshot; a reset forgets them, so they are deleted then.
constexpr int kKeys = 1024;
std::atomic<bool> key_used[kKeys];
bool recording_keys = false;

int create_thread(pthread_t *thread, const pthread_attr_t *wanted, void *(*function)(void *), void *argument) {
    Busy busy;
    ThreadRecord *record = new_thread_record();
    record->helper = true;
    if (wanted) {
        int state = PTHREAD_CREATE_JOINABLE;
        pthread_attr_getdetachstate(wanted, &state);
        record->detached = state == PTHREAD_CREATE_DETACHED;
    }
    auto *start = new HelperStart{function, argument, record};
    const int result = real::pthread_create(thread, nullptr, run_helper, start);
    if (result) {
        record->alive = 0;
        delete start;
    } else {
        record->pthread = *thread;
    }
    return result;
}

int join_thread(pthread_t thread, void **result) {
    // Not Busy while waiting: the wait is as long as the helper lives, and parking here holds no lock.
    const int error = ::pthread_join(thread, result);
    if (!error)
        for (ThreadRecord *record = all_threads; record; record = record->next)
            if (record->alive && record->helper && record->pthread == thread) record->alive = 0;
    return error;
}

int detach_thread(pthread_t thread) {
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->helper && record->pthread == thread) record->detached = true;
    return 0;
}

int cancel_thread(pthread_t thread) {
    Busy busy;
    return ::pthread_cancel(thread);
}

void exit_thread(void *result) { ::pthread_exit(result); }

int create_key(pthread_key_t *key, void (*destructor)(void *)) {
    Busy busy;
    const int result = ::pthread_key_create(key, destructor);
    if (!result && recording_keys && *key < kKeys) key_used[*key] = true;
    return result;
}

int delete_key(pthread_key_t key) {
    Busy busy;
    if (key < kKeys) key_used[key] = false;
    return ::pthread_key_delete(key);
}

int set_specific(pthread_key_t key, const void *value) {
    Busy busy;
    return ::pthread_setspecific(key, value);
}

void free_foreign(void *memory) {
    Busy busy;
    ::free(memory);
}

}  // namespace

sckpt_base_services base_services(void (*library_loaded)(const char *)) {
    return {create_key,    delete_key,  ::pthread_getspecific, set_specific, create_thread, join_thread,
            detach_thread, cancel_thread, exit_thread,          ::exit,       free_foreign,  library_loaded};
}

void record_keys_from_now() { recording_keys = true; }

void clear_lower_helpers() {
    // The thread that counts it down to zero calls exit() (glibc, nptl/pthread_create.c).  A helper that was lost has not
    // counted itself out.
    static auto *thread_count = static_cast<unsigned *>(dlsym(RTLD_DEFAULT, "__nptl_nthreads"));
    for (ThreadRecord *record = all_threads; record; record = record->next) {
        if (!record->alive || !record->helper) continue;
        // What the kernel does when a thread ends; pthread_join() then takes it for ended.
        *reinterpret_cast<volatile int *>(record->pthread + control_block().id) = 0;
        const int error = ::pthread_join(record->pthread, nullptr);
        if (error) say(Severity::warning, "cannot clear a helper thread of MPI away: error %d", error);
        record->alive = 0;
        if (thread_count) __atomic_sub_fetch(thread_count, 1, __ATOMIC_SEQ_CST);
    }
    for (pthread_key_t key = 0; key < kKeys; ++key)
        if (key_used[key].exchange(false)) ::pthread_key_delete(key);
}

}  // namespace sckpt::mpi
