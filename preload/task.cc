// The task is what hangs together by our library: from this process up as long as the parent is intercepted (Slurm's
// own step manager is not), and from there down.  Shells start programs and wait for them, so they are never the
// program.  Of the others the uppermost are: what they start themselves belongs to them, and stands in the way of a
// checkpoint (process.cc) until it has ended.
#include "preload/task.h"

#include "preload/base/system.h"
#include "preload/process_tree.h"

namespace sckpt {

TaskRole role_in_task() {
    const int self_pid = static_cast<int>(sys::getpid());
    int top = self_pid;
    bool helper = false;
    for (int above = state_of(top).parent; above > 1 && mapped_by(above).interceptor; above = state_of(above).parent) {
        helper |= !runs_commands_only(above);
        top = above;
    }
    ProcessQueue queue;
    bool within_program[ProcessQueue::kCapacity];
    int programs = 0, first = 0;
    queue.add(top);
    within_program[0] = false;
    for (int i = 0; i < queue.count; ++i) {
        const int pid = queue.pids[i];
        const ProcessState state = state_of(pid);
        if (state.state == 'Z' || state.state == 'X' || (pid != top && pid != self_pid && state.exit_signal == 0))
            continue;
        const Mapped mapped = mapped_by(pid);
        if (mapped.interceptor && mapped.mpi) return TaskRole::wrapper;
        const bool program = mapped.interceptor && !within_program[i] && !runs_commands_only(pid);
        if (program && programs++ == 0) first = pid;
        const int before = queue.count;
        add_children(pid, queue);
        for (int child = before; child < queue.count; ++child) within_program[child] = within_program[i] || program;
    }
    if (helper) return TaskRole::helper;
    if (programs <= 1) return TaskRole::program;
    return first == self_pid ? TaskRole::several : TaskRole::another;
}

}  // namespace sckpt
