#include "tests/process/copy.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mpi_coord/half.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/settings.h"
#include "preload/shared_memory.h"

namespace sckpt {
// The parts of libsckpt.so that these tests leave out: no MPI, nothing is stopped.
namespace mpi {
bool lower_owns_descriptor(int) { return false; }
}  // namespace mpi
void attend_entry() {}
void attend_exit() {}
void park_if_stopping() {}
int restored_object(std::uint64_t, std::uint64_t) { return -1; }
[[gnu::weak]] Settings &settings() {  // one test has the real one
    static Settings plain;
    return plain;
}
}  // namespace sckpt

namespace testing_process {

using namespace sckpt;

std::string in_restored_copy(const std::function<std::string()> &check) {
    constexpr size_t kSize = 65536;
    auto *shared = static_cast<char *>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const long pid = system_call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        const std::uint64_t all = ~0ull;
        system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), 0, 8);
        system_call(SYS_close_range, 3, ~0u, 0);
        for (int signal = 1; signal < 65; ++signal) {
            std::uint64_t standard[4] = {};
            system_call(SYS_rt_sigaction, signal, as_long(standard), 0, 8);
        }
        if (self.record) self.record->kernel_id = static_cast<int>(sys::gettid());
        const std::string said = check();
        memcpy(shared, said.data(), said.size() < kSize ? said.size() : kSize - 1);
        system_call(SYS_exit_group, 0);
    }
    int status = 0;
    waitpid(static_cast<pid_t>(pid), &status, 0);
    std::string said = shared;
    munmap(shared, kSize);
    if (WIFSIGNALED(status)) said += "ended by signal " + std::to_string(WTERMSIG(status));
    return said;
}

}  // namespace testing_process

// The wrappers are part of this program and decide by the environment before main() whether they keep state.
namespace {
[[gnu::constructor(101)]] void ask_for_recording(int, char **argv, char **) {
    if (getenv("SCKPT_DIR")) return;
    setenv("SCKPT_DIR", "/nonexistent", 1);
    execv("/proc/self/exe", argv);
    _exit(127);
}
// As libsckpt.so's constructor does.
[[gnu::constructor(102)]] void start_threads() {
    using namespace sckpt;
    find_control_block();
    adopt_thread(new_thread_record());
    self.record->initial = true;
}
}  // namespace
