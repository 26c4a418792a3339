// Functions of glibc that hand the thread id in a control block to the kernel.  In a restored process that id is the
// one that the program knows, so here the kernel's is used; before a restart all forward.
//
// No restart may come between the look at an id, ours or glibc's, and the call with it, which would be about another
// thread then.  So the thread is Busy, or, where a handler of the application may run at the end of the call, all its
// signals are blocked meanwhile.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "preload/signals.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

// The kernel's id of a live thread, 0 when the thread has ended or there is nothing to translate.
int kernel_id_of(pthread_t thread) {
    if (!recording() || !restored_process) return 0;
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->pthread == thread) return record->kernel_id;
    return 0;
}

// Is the id in its control block the kernel's for another thread of this process?
bool is_of_another(pthread_t thread) {
    if (!recording() || !restored_process) return false;
    int id = 0;
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->pthread == thread) id = record->id;
    for (const ThreadRecord *record = all_threads; record && id; record = record->next)
        if (record->alive && record->pthread != thread && record->kernel_id == id) return true;
    return false;
}

int as_error(long result) { return result < 0 ? static_cast<int>(-result) : 0; }

constexpr int kCancelSignal = 32;  // glibc's SIGCANCEL

bool is_own_hidden(pthread_t thread, int signal) {
    return recording() && signal > 0 && signal < 65 && (hidden_signals() & signal_bit(signal)) &&
           thread == pthread_self();
}

void comm_path(char (&path)[64], int kernel_id) { snprintf(path, sizeof path, "/proc/self/task/%d/comm", kernel_id); }

}  // namespace
}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int pthread_kill(pthread_t thread, int signal) noexcept {
    if (is_own_hidden(thread, signal)) return raise(signal) == 0 ? 0 : errno;
    const SignalsBlocked meanwhile;
    const int id = kernel_id_of(thread);
    if (!id || (signal >= 32 && signal < SIGRTMIN)) return real::pthread_kill(thread, signal);
    return as_error(sys::tgkill(sys::getpid(), id, signal));
}

SCKPT_WRAPPER int pthread_sigqueue(pthread_t thread, int signal, const sigval value) noexcept {
    const SignalsBlocked meanwhile;
    const int id = kernel_id_of(thread);
    if (!id || (signal >= 32 && signal < SIGRTMIN)) return real::pthread_sigqueue(thread, signal, value);
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = static_cast<pid_t>(sys::getpid());
    info.si_uid = static_cast<uid_t>(system_call(SYS_getuid));
    info.si_value = value;
    return as_error(system_call(SYS_rt_tgsigqueueinfo, sys::getpid(), id, signal, as_long(&info)));
}

SCKPT_WRAPPER int pthread_cancel(pthread_t thread) {
    if (thread == pthread_self()) return real::pthread_cancel(thread);  // which may unwind from here
    const SignalsBlocked meanwhile;
    const int result = real::pthread_cancel(thread);
    // The thread is marked; only the signal that wakes it has gone to the id of the past, which may be another's now.
    if (result == ESRCH || (result == 0 && is_of_another(thread)))
        if (const int id = kernel_id_of(thread)) return as_error(sys::tgkill(sys::getpid(), id, kCancelSignal));
    return result;
}

SCKPT_WRAPPER int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id) return real::pthread_setaffinity_np(thread, size, set);
    return as_error(system_call(SYS_sched_setaffinity, id, static_cast<long>(size), as_long(set)));
}

SCKPT_WRAPPER int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id) return real::pthread_getaffinity_np(thread, size, set);
    const long filled = system_call(SYS_sched_getaffinity, id, static_cast<long>(size), as_long(set));
    if (filled < 0) return as_error(filled);
    memset(reinterpret_cast<char *>(set) + filled, 0, size - static_cast<size_t>(filled));
    return 0;
}

SCKPT_WRAPPER int pthread_setschedparam(pthread_t thread, int policy, const sched_param *parameter) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id) return real::pthread_setschedparam(thread, policy, parameter);
    return as_error(system_call(SYS_sched_setscheduler, id, policy, as_long(parameter)));
}

SCKPT_WRAPPER int pthread_getschedparam(pthread_t thread, int *policy, sched_param *parameter) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id) return real::pthread_getschedparam(thread, policy, parameter);
    const long found = system_call(SYS_sched_getscheduler, id);
    if (found < 0) return as_error(found);
    *policy = static_cast<int>(found);
    return as_error(system_call(SYS_sched_getparam, id, as_long(parameter)));
}

SCKPT_WRAPPER int pthread_setschedprio(pthread_t thread, int priority) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id) return real::pthread_setschedprio(thread, priority);
    const sched_param parameter{priority};
    return as_error(system_call(SYS_sched_setparam, id, as_long(&parameter)));
}

SCKPT_WRAPPER int pthread_setname_np(pthread_t thread, const char *name) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    const size_t length = strlen(name);
    if (!id || length > 15) return real::pthread_setname_np(thread, name);
    char path[64];
    comm_path(path, id);
    const long fd = sys::open(path, O_WRONLY);
    if (fd < 0) return as_error(fd);
    const long written = sys::write(static_cast<int>(fd), name, length);
    sys::close(static_cast<int>(fd));
    return as_error(written);
}

SCKPT_WRAPPER int pthread_getname_np(pthread_t thread, char *name, size_t size) noexcept {
    const Busy meanwhile;
    const int id = kernel_id_of(thread);
    if (!id || size < 16) return real::pthread_getname_np(thread, name, size);
    char path[64];
    comm_path(path, id);
    const long length = sys::read_file(path, name, size);
    if (length < 0) return as_error(length);
    if (length > 0 && name[length - 1] == '\n') name[length - 1] = 0;
    return 0;
}
