// The processes of this machine as /proc shows them.  Usable in signal handlers: nothing allocates or takes a lock.
#pragma once

#include <cstdint>
#include <optional>

namespace sckpt {

// Processes still to be looked at.  A tree of more is not one of wrappers.
struct ProcessQueue {
    static constexpr int kCapacity = 1024;
    int pids[kCapacity];
    int count = 0;

    void add(int pid) {
        if (count < kCapacity) pids[count++] = pid;
    }
};

// Appends the children of all threads of a process.
void add_children(int pid, ProcessQueue &queue);

// The file names of what a process has mapped that matter here.
struct Mapped {
    bool interceptor = false;  // libsckpt.so
    bool mpi = false;          // libmpi, the application's or that of our lower half
};
Mapped mapped_by(int pid);

// The main thread, or another when that has ended (pthread_exit(3)): memory, files and program of the process are then
// to be found through this one alone.  0: the process has ended, or does not exist.
int living_thread(int pid);

// From /proc/PID/stat, proc(5).
struct ProcessState {
    int parent = 0;
    char state = 'X';     // 'Z' and 'X': it has ended, or does not exist; 'S' when only its main thread has
    int exit_signal = 0;  // 0: made by a raw clone, as our own helpers are (spawn.h)
};
ProcessState state_of(int pid);

// A line of the status of a process or thread, proc(5), such as "\nSigCgt:", as a number; 0 where there is no such line,
// nothing where the file cannot be read.
std::optional<std::uint64_t> status_field(const char *path, const char *name, int base);

// Is its program a shell, or another that does nothing but start commands and wait for them?
bool runs_commands_only(int pid);

}  // namespace sckpt
