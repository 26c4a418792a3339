// The path back.
#pragma once

#include <string>

#include "preload/base/context.h"
#include "storage_hdf5/image.h"

namespace sckpt {

// At the start of a process: if it is the recorded one of a generation to restore, becomes sckpt-restore and does not
// return.  Other programs of the step (wrappers) pass.  Ends the process with a sentence when it cannot be restored.
void become_restored_if_asked();

// Where a restored copy continues: to be given to sckpt_save_context().  Notes it in the plan too.
Context *resume_point(image::Process &process);
// After the context has been saved: copies it into the plan.
void note_resume_point(image::Process &process);

// In the restored process, right behind sckpt_save_context(): everything up to the open gate.
void restart();

// Name of the generation that this process was restored from, for the log.
const char *restored_generation();
// What follows the log line: interval timers, SIGTERM.
void resume_from_restart();

// The program as the kernel started it: path, and arguments each with its NUL.
const std::string &program_path();
const std::string &program_arguments();
void note_program();

}  // namespace sckpt
