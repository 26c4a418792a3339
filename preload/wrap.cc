#include "preload/wrap.h"

#include <string.h>

#include "preload/env.h"
#include "preload/signals.h"

namespace sckpt {

Recording recording_state = Recording::unknown;

bool decide_recording() {
    if (!real::sigaction) real::find_all();
    bool asked = false;
    const size_t length = strlen(env::kDirectory);
    for (char **variable = environ; variable && *variable; ++variable)
        if (strncmp(*variable, env::kDirectory, length) == 0 && (*variable)[length] == '=') asked = true;
    recording_state = asked ? Recording::on : Recording::off;
    return asked;
}

void stop_recording() {
    if (!real::sigaction) real::find_all();
    unhide_signals();
    recording_state = Recording::off;
}

int to_kernel_id(int program_id) {
    if (!restored_process) return program_id;
    for (ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->id == program_id) return record->kernel_id;
    return program_id;
}

}  // namespace sckpt
