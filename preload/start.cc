// Start of libsckpt.so in a process: decides whether there is anything to do here at all.
#include "preload/base/start.h"

#include <unistd.h>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/real.h"
#include "preload/base/thread.h"
#include "preload/checkpoint.h"
#include "preload/exec.h"
#include "preload/make_way.h"
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
    note_where_to_tell();
    if (const char *reason = alien_runtime()) run_without_us(reason);
    watch_exec();
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
