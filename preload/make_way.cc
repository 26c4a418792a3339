#include "preload/make_way.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "preload/base/log.h"
#include "preload/base/preload_list.h"
#include "preload/base/real.h"
#include "preload/base/system.h"
#include "preload/base/unserved.h"
#include "preload/env.h"
#include "preload/restart.h"
#include "preload/settings.h"
#include "preload/world.h"

namespace sckpt {
namespace {

char incarnation[PATH_MAX];
int rank;

constexpr std::string_view kPreload = "LD_PRELOAD=";

}  // namespace

size_t room_for_preload(const char *variable, const char *ours) { return strlen(variable) + strlen(ours) + 2; }

void write_preload(const char *variable, const char *ours, char *into) {
    char *end = static_cast<char *>(mempcpy(into, kPreload.data(), kPreload.size()));
    const char *const first = end;
    const auto add = [&](std::string_view library) {
        if (end != first) *end++ = ':';
        end = static_cast<char *>(mempcpy(end, library.data(), library.size()));
    };
    base::for_each_library(variable + kPreload.size(), [&](std::string_view library) {
        if (!base::is_named(library, base::kInterceptor)) add(library);
    });
    if (*ours) add(ours);
    *end = 0;
}

void note_where_to_tell() {
    const std::string place = incarnation_directory();
    if (place.size() < sizeof incarnation) strcpy(incarnation, place.c_str());
    rank = world::launched_rank();
}

void tell_unserved(const char *sentence) {
    if (*incarnation && !base::note_unserved(incarnation, rank, sentence)) return;
    say(Severity::warning, "%s", sentence);
    if (!*incarnation) return;  // not active, but MPI cannot be as it is with us
    char line[PATH_MAX + 256];
    snprintf(line, sizeof line, "unserved %s", sentence);
    log_event("-", line);
}

void nothing_unserved() {
    if (*incarnation) base::forget_unserved(incarnation, rank);
}

std::vector<char *> environment_without_us(char *const *variables) {
    std::vector<char *> kept;
    for (; *variables; ++variables) {
        const std::string_view text = *variables;
        if (text.starts_with(kPreload)) {
            kept.push_back(new char[room_for_preload(*variables, "")]);
            write_preload(*variables, "", kept.back());
        } else if (!text.starts_with(std::string(env::kDirectory) + "=")) {  // which is what switches us on
            kept.push_back(*variables);
        }
    }
    kept.push_back(nullptr);
    return kept;
}

void run_without_us(const char *reason) {
    tell_unserved((std::string(reason) + ": running without checkpoints").c_str());
    const std::vector<char *> variables = environment_without_us(environ);
    std::vector<char *> arguments;
    const std::string &all = program_arguments();
    for (size_t at = 0; at < all.size(); at += strlen(all.c_str() + at) + 1)
        arguments.push_back(const_cast<char *>(all.c_str() + at));
    arguments.push_back(nullptr);
    system_call(SYS_execve, as_long(program_path().c_str()), as_long(arguments.data()), as_long(variables.data()));
    die("cannot start %s again", program_path().c_str());
}

const char *alien_runtime() {
    // Their shadow memory and allocators have fixed addresses, the arena's among them, and look for the memory of the
    // program in places that a restore does not keep to.  (That for undefined behaviour has no memory.)
    constexpr const char *kSanitizers[][2] = {
        {"__asan_init", "the program is built with the address sanitizer"},
        {"__hwasan_init", "the program is built with the hardware-assisted address sanitizer"},
        {"__tsan_init", "the program is built with the thread sanitizer"},
        {"__msan_init", "the program is built with the memory sanitizer"},
        {"__lsan_init", "the program is built with the leak sanitizer"},
        {"__lsan_do_leak_check", "the program is built with the leak sanitizer"},
    };
    for (const auto &[function, reason] : kSanitizers)
        if (dlsym(RTLD_DEFAULT, function)) return reason;
    return nullptr;
}

}  // namespace sckpt
