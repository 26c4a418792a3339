// THE PATH BACK: sckpt-restore has put memory, vdso and FS base in place and jumped behind sckpt_save_context().  The
// order is what keeps it from deadlock: a parked thread may hold a lock of the base libc or of ld.so, so all threads
// are released first, and gated at the wrappers; only then may anything allocate, join, dlopen or call MPI_Init.
#include "preload/restart.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/half.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/env.h"
#include "preload/mutexes.h"
#include "preload/request.h"
#include "preload/resources.h"
#include "preload/restore/handover.h"
#include "preload/serving.h"
#include "preload/settings.h"
#include "preload/shared_memory.h"
#include "preload/signals.h"
#include "preload/spawn.h"
#include "preload/stop.h"
#include "preload/terminate.h"
#include "preload/thread_state.h"
#include "preload/threads.h"

namespace sckpt {
namespace {

restore::Handover handover;
Context resume;
ThreadSignals main_signals;
std::string generation;
std::string *path, *arguments;

// The environment of the new step, for the lower half and our own settings.  The application keeps its own.
struct NewEnvironment {
    std::vector<char> text;
    std::vector<char *> variables;

    NewEnvironment(const char *start, size_t length) : text(start, start + length) {
        for (char *at = text.data(); at < text.data() + length; at += strlen(at) + 1) variables.push_back(at);
        variables.push_back(nullptr);
    }
};

void must(Restored restored) {
    if (restored) return;
    say(Severity::error, "cannot restore: %s", restored.error().c_str());
    for (;;) system_call(SYS_exit_group, 3);
}

std::vector<char *> restore_environment() {
    // LD_PRELOAD would load us into sckpt-restore; it travels under another name.
    std::vector<char *> variables;
    for (char **variable = environ; *variable; ++variable) {
        if (strncmp(*variable, "LD_PRELOAD=", 11) == 0) {
            const std::string renamed = std::string(env::kPreload) + (*variable + 10);
            variables.push_back(strcpy(new char[renamed.size() + 1], renamed.c_str()));
        } else {
            variables.push_back(*variable);
        }
    }
    variables.push_back(nullptr);
    return variables;
}

const char *variable_of(const char *name) {
    const size_t length = strlen(name);
    for (char **variable = environ; *variable; ++variable)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=') return *variable + length + 1;
    return nullptr;
}

}  // namespace

void note_program() {
    char target[4096];
    const long length = system_call(SYS_readlink, as_long("/proc/self/exe"), as_long(target), sizeof target);
    path = new std::string(target, length > 0 ? static_cast<size_t>(length) : 0);
    arguments = new std::string;
    const long fd = sys::open("/proc/self/cmdline", O_RDONLY);
    for (long got; fd >= 0 && (got = sys::read(static_cast<int>(fd), target, sizeof target)) > 0;)
        arguments->append(target, static_cast<size_t>(got));
    if (fd >= 0) sys::close(static_cast<int>(fd));
}

const std::string &program_path() { return *path; }
const std::string &program_arguments() { return *arguments; }

void become_restored_if_asked() {
    const char *wanted = variable_of(env::kRestart);
    if (!wanted || !*wanted) return;
    Program match;
    match.arguments = {settings().library + "/sckpt-restore", "--match"};
    const int process = spawn(match);
    const int status = process > 0 ? reap(process, true) : -1;
    if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1) return;  // a wrapper: the rank comes later
    if (status != 0) {
        // Its own errors it has told itself.
        if (process <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
            say(Severity::error, "cannot start %s to restore %s", match.arguments[0].c_str(), wanted);
        system_call(SYS_exit_group, 3);
    }
    // A preemption that comes while the image is read waits for the restored rank, which knows what to do with it.
    const unsigned long wait = 1ul << (SIGTERM - 1) | 1ul << (SIGURG - 1);
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, as_long(&wait), 0, sizeof wait);
    char *const run[] = {const_cast<char *>(match.arguments[0].c_str()), nullptr};
    const std::vector<char *> variables = restore_environment();
    const long error = system_call(SYS_execve, as_long(run[0]), as_long(run), as_long(variables.data()));
    say(Severity::error, "cannot start %s: error %ld", run[0], -error);
    system_call(SYS_exit_group, 3);
}

Context *resume_point(image::Process &process) {
    record_thread_signals(main_signals);
    process.handover = reinterpret_cast<std::uint64_t>(&handover);
    process.fs_base = reinterpret_cast<std::uint64_t>(__builtin_thread_pointer());
    system_call(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, as_long(&process.gs_base));
    handover = {};
    return &resume;
}

void note_resume_point(image::Process &process) {
    static_assert(sizeof(Context) == sizeof(image::Context));
    memcpy(&process.resume, &resume, sizeof resume);
}

void restart() {
    // All of them: glibc, which sckpt-restore has used, leaves out those that it keeps to itself.
    const std::uint64_t all = ~std::uint64_t{0};
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), 0, 8);
    adopt_restored_thread();
    NewEnvironment environment(reinterpret_cast<const char *>(handover.environment), handover.environment_length);
    generation = reinterpret_cast<const char *>(handover.generation);
    system_call(SYS_munmap, static_cast<long>(handover.restorer_start), static_cast<long>(handover.restorer_length));
    Settings fresh = read_settings(environment.variables.data());
    settings() = fresh;

    must(restore_process());
    must(restore_shared_memory());
    begin_scheduling_again();
    must(restore_files());
    forget_objects();
    must(restore_signals());
    must(restore_timers());
    must(restore_identity());
    forget_terminate();
    forget_timers();

    const bool with_lower_half = mpi::lower_half_loaded();
    if (with_lower_half) {
        mpi::reset_lower_memory();
        mpi::reset_lower_thread();
    }
    attention = kGated;
    recreate_threads();  // from here on this may be another kernel thread
    restore_thread_signals(main_signals);
    restore_recorders_signals();
    restore_kernel_side(self.record->kernel);
    restore_mutex_owners();
    must(restore_posix_timers());
    restore_owners();
    release_threads();

    // From here on every lock of the base libc is in the hands of a thread that runs.
    if (with_lower_half) mpi::clear_lower_helpers();
    mpi::set_lower_environment(environment.variables.data());
    if (mpi::mpi_running())
        if (std::string failure = mpi::rebuild_mpi(); !failure.empty()) must(std::unexpected(std::move(failure)));
    name_restored_thread();
    must(complete_shared_memory());
    restart_requests();
    if (main_has_ended()) end_main_thread_again();
    attention.fetch_and(~static_cast<std::uint32_t>(kGated));
}

const char *restored_generation() {
    const size_t slash = generation.rfind('/');
    return generation.c_str() + (slash == std::string::npos ? 0 : slash + 1);
}

void resume_from_restart() {
    restart_interval();
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&main_signals.mask), 0, 8);
}

}  // namespace sckpt
