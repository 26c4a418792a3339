#include "preload/threads.h"

#include <pthread.h>
#include <unistd.h>

#include "mpi_coord/half.h"
#include "preload/serving.h"
#include "preload/stop.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

pthread_key_t end_key;

struct Start {
    void *(*function)(void *);
    void *argument;
    ThreadRecord *record;
};

// glibc ends the process in its last thread, whose exit handlers are still to run there.
bool is_last(const ThreadRecord *mine) {
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record != mine && record->alive) return false;
    return true;
}

// Runs among the destructors of thread-specific data, which is how a thread ends in every way it can.  Puts itself off
// so that the application's destructors, which may call MPI, come first.
void thread_ends(void *value) {
    const auto round = reinterpret_cast<std::uintptr_t>(value);
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
        pthread_setspecific(end_key, reinterpret_cast<void *>(round + 1));
        return;
    }
    ThreadRecord *record = self.record;
    static Spin ending;
    if (!recording()) return;  // a forked child, in which the lock may be held by nobody
    Locked one_at_a_time(ending);
    if (is_last(record)) return;
    ++self.busy;  // from here to its end the thread is not parked: it is no longer there to be restored
    self.record = nullptr;
    record->state = nullptr;
    pass_serving_on(record);
    record->alive = 0;
}

// In a restored process the kernel may give a new thread the id by which the program knows an older one, or the main
// thread that has ended.  Beyond what the kernel gives out (FUTEX_TID_MASK is what glibc has room for) there are
// others.
void keep_ids_apart(ThreadRecord *mine) {
    static std::atomic<int> free_id{0x3fffffff};
    bool taken = mine->id == getpid();
    for (ThreadRecord *record = all_threads; record; record = record->next)
        taken |= record != mine && record->alive && record->id == mine->id;
    if (!taken) return;
    mine->id = free_id--;
    *reinterpret_cast<int *>(mine->pthread + control_block().id) = mine->id;
}

void *run_thread(void *argument) {
    const Start start = *static_cast<Start *>(argument);
    {
        Busy busy;
        delete static_cast<Start *>(argument);
        adopt_thread(start.record);
        if (restored_process) keep_ids_apart(start.record);
        pthread_setspecific(end_key, reinterpret_cast<void *>(std::uintptr_t{1}));
        start_lower_here();
    }
    serve_if_nobody_does();  // at once, if something is wanted: this thread may not be there for long
    return start.function(start.argument);
}

}  // namespace

void register_main_thread() {
    ThreadRecord *record = new_thread_record();
    adopt_thread(record);
    record->initial = true;
    pthread_setspecific(end_key, reinterpret_cast<void *>(std::uintptr_t{1}));
}

bool main_has_ended() {
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->initial) return false;
    return true;
}

void prepare_threads() { pthread_key_create(&end_key, thread_ends); }

}  // namespace sckpt

extern "C" [[gnu::visibility("default")]] int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                             void *(*function)(void *), void *argument) noexcept {
    using namespace sckpt;
    if (!real::pthread_create) real::find_all();
    if (!self.record) return real::pthread_create(thread, attributes, function, argument);
    Busy busy;
    ThreadRecord *record = new_thread_record();
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes) pthread_attr_getdetachstate(attributes, &state);
    record->detached = state == PTHREAD_CREATE_DETACHED;
    record->virtual_blocked = self.record->virtual_blocked;
    auto *start = new Start{function, argument, record};
    const int error = real::pthread_create(thread, attributes, run_thread, start);
    if (error) {
        delete start;
        record->alive = 0;
    }
    return error;
}
