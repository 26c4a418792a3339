// Which of the processes of a task is its program.  Slurm signals all of them, and in a task without MPI nothing but
// their place in the tree tells the program from the shells above and from the commands below it.
#pragma once

namespace sckpt {

enum class TaskRole {
    program,  // the one to be checkpointed
    wrapper,  // a process of MPI is in the task: that one answers
    helper,   // started by the program: it is not looked at alone
    several,  // there is more than one program, as in a pipeline: none can be taken for the task
    another,  // the same, and this process is not the one that says so
};

// Of the calling process, which has not called MPI.  Looks in /proc at the processes of this task; usable in handlers.
TaskRole role_in_task();

}  // namespace sckpt
