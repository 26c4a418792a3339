// Start of libsckpt.so in a process: decides whether there is anything to do here at all.
#include "preload/base/start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/log.h"
#include "preload/base/real.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/checkpoint.h"
#include "preload/env.h"
#include "preload/request.h"
#include "preload/resources.h"
#include "preload/restart.h"
#include "preload/self_exe.h"
#include "preload/serial.h"
#include "preload/settings.h"
#include "preload/stop.h"
#include "preload/terminate.h"
#include "preload/thread_state.h"
#include "preload/threads.h"
#include "preload/wrapper.h"

namespace sckpt {
namespace {

// LD_PRELOAD=... without libsckpt.so; what else the user has in it stays.
char *without_us(std::string_view variable) {
    std::string kept(variable.substr(0, variable.find('=') + 1));
    for (size_t at = kept.size(); at < variable.size();) {
        const size_t end = std::min(variable.find_first_of(": ", at), variable.size());
        const std::string_view library = variable.substr(at, end - at);
        if (!library.ends_with("/libsckpt.so")) (kept += kept.ends_with('=') ? "" : ":") += library;
        at = end + 1;
    }
    return strcpy(new char[kept.size() + 1], kept.c_str());
}

// The lower half cannot be loaded: the program begins again without us.  Nothing of MPI has happened in it, and before
// MPI_Init a program should do little (MPI-3.1, 8.7).
[[noreturn]] void run_without_us(const char *reason) {
    say(Severity::warning, "%s: running without checkpoints", reason);
    std::vector<char *> variables, arguments;
    for (char **variable = environ; *variable; ++variable) {
        const std::string_view text = *variable;
        if (text.starts_with("LD_PRELOAD="))
            variables.push_back(without_us(text));
        else if (!text.starts_with(std::string(env::kDirectory) + "="))  // which is what switches us on
            variables.push_back(*variable);
    }
    variables.push_back(nullptr);
    const std::string &all = program_arguments();
    for (size_t at = 0; at < all.size(); at += strlen(all.c_str() + at) + 1)
        arguments.push_back(const_cast<char *>(all.c_str() + at));
    arguments.push_back(nullptr);
    system_call(SYS_execve, as_long(program_path().c_str()), as_long(arguments.data()), as_long(variables.data()));
    die("cannot start %s again", program_path().c_str());
}

void start() {
    real::find_all();
    find_control_block();
    Settings read = read_settings(environ);
    settings() = read;
    note_program();
    set_self_executable(program_path().c_str());
    mpi::prepare_mpi(settings().library.c_str(), run_without_us);
    if (!settings().active) return;
    become_restored_if_asked();
    prepare_threads();
    note_first_scheduling();
    register_main_thread();
    if (!start_serial()) start_wrapper();
    mpi::set_hooks({start_requests, checkpoint, set_tick, blocker, unwanted_termination, checkpoint_declined});
}

}  // namespace

[[gnu::constructor]] void start_once() {
    static bool started = false;
    if (started) return;
    started = true;
    start();
}

}  // namespace sckpt
