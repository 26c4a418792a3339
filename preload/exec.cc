// Between srun and a program there are others (shells, env, numactl) that execute it.  The interceptor is in them, and
// must get into what they execute, last of all that is preloaded, even if they give it another LD_PRELOAD.  It will not
// be in a program that is static or setuid: then this is the last place where the user can be told.
//
// These may run in the child of a vfork: nothing allocates, and what is changed is not seen by the parent.
#include "preload/exec.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <string_view>

#include "preload/base/executable.h"
#include "preload/base/preload_list.h"
#include "preload/env.h"
#include "preload/make_way.h"
#include "preload/process_tree.h"
#include "preload/settings.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

int watched = 0;  // process that watch_exec() was called in
char library[PATH_MAX];

// What this process executes is the task's program: it takes the place of one, or is what a shell starts.  (What a
// program starts beside itself is not.)
bool executes_program() {
    const int process = static_cast<int>(sys::getpid());
    return watched && (process == watched || runs_commands_only(process));
}

bool names(const char *variable, std::string_view name) {
    return std::string_view(variable).starts_with(name) && variable[name.size()] == '=';
}

// The launcher of valgrind sets it for the tool, a static program that loads what LD_PRELOAD names into the program it
// interprets, and starts the launcher again for what that one executes (--trace-children).
bool for_valgrind(char *const *variables) {
    for (; *variables; ++variables)
        if (names(*variables, "VALGRIND_LAUNCHER")) return true;
    return false;
}

// Place of the variable in a list of `count`, which is the result when there is none.
size_t place_of(std::string_view name, char *const *variables, size_t count) {
    for (size_t place = 0; place < count; ++place)
        if (names(variables[place], name)) return place;
    return count;
}

// With our library in LD_PRELOAD where it has to be, and what a program with the address sanitizer needs to start
// behind it (it then makes way for itself): as the plugin has put both.  Without our settings (env -i) the program is
// left alone.
int execute_with_us(const char *path, char *const *arguments, char *const *variables) {
    size_t count = 0;
    while (variables[count]) ++count;
    if (place_of(env::kDirectory, variables, count) == count) return real::execve(path, arguments, variables);
    auto **list = static_cast<char **>(__builtin_alloca((count + 3) * sizeof(char *)));
    memcpy(list, variables, count * sizeof(char *));

    const size_t preload = place_of("LD_PRELOAD", list, count);
    const char *given = preload == count ? "LD_PRELOAD=" : list[preload];
    auto *wanted = static_cast<char *>(__builtin_alloca(room_for_preload(given, library)));
    write_preload(given, library, wanted);
    list[preload] = wanted;
    count += preload == count;

    constexpr std::string_view kOption = base::kLinkOrderOption;
    const size_t sanitizer = place_of("ASAN_OPTIONS", list, count);
    const char *options = sanitizer == count ? "ASAN_OPTIONS=" : list[sanitizer];
    if (std::string_view(options).find(kOption) == std::string_view::npos) {
        const size_t room = strlen(options) + kOption.size() + 4;
        auto *changed = static_cast<char *>(__builtin_alloca(room));
        snprintf(changed, room, "%s%s%s=0", options, options[strlen(options) - 1] == '=' ? "" : ":", kOption.data());
        list[sanitizer] = changed;
        count += sanitizer == count;
    }
    list[count] = nullptr;
    return real::execve(path, arguments, list);
}

int execute(const char *path, char *const *arguments, char *const *variables) {
    recording();  // finds the real function
    if (!path || !variables || !executes_program()) return real::execve(path, arguments, variables);
    const int saved_errno = errno;
    const char *reason = base::why_not_intercepted(path);
    if (reason && access(path, X_OK) == 0) {
        if (for_valgrind(variables)) {
            tell_unserved("a program under valgrind runs without checkpoints");
            errno = saved_errno;
            return real::execve(path, arguments, environment_without_us(variables).data());
        }
        char sentence[PATH_MAX + 128];
        snprintf(sentence, sizeof sentence, "%s %s: it runs without checkpoints", path, reason);
        tell_unserved(sentence);
    }
    errno = saved_errno;
    return execute_with_us(path, arguments, variables);
}

int execute_found(const char *name, char *const *arguments, char *const *variables) {
    recording();
    if (name && executes_program()) {
        const int saved_errno = errno;
        const char *search = getenv("PATH");
        char found[PATH_MAX];
        const bool there = base::find_executable(name, search ? search : "/bin:/usr/bin", found);
        errno = saved_errno;
        if (there) execute(found, arguments, variables);
        // It looks further, and starts a shell for what execve(2) does not know.
    }
    return real::execvpe(name, arguments, variables);
}

}  // namespace

void watch_exec() {
    if (snprintf(library, sizeof library, "%s/libsckpt.so", settings().library.c_str()) <
        static_cast<int>(sizeof library))
        watched = static_cast<int>(sys::getpid());
}

}  // namespace sckpt

using namespace sckpt;

SCKPT_WRAPPER int execve(const char *path, char *const *arguments, char *const *variables) noexcept {
    return execute(path, arguments, variables);
}
SCKPT_WRAPPER int execv(const char *path, char *const *arguments) noexcept { return execute(path, arguments, environ); }
SCKPT_WRAPPER int execvp(const char *name, char *const *arguments) noexcept {
    return execute_found(name, arguments, environ);
}
SCKPT_WRAPPER int execvpe(const char *name, char *const *arguments, char *const *variables) noexcept {
    return execute_found(name, arguments, variables);
}

// The arguments behind `first` as a list; with `environment_follows`, `variables` is what stands behind it.
#define SCKPT_LISTED(call, environment_follows)                                              \
    va_list rest;                                                                            \
    va_start(rest, first);                                                                   \
    size_t count = 1;                                                                        \
    while (va_arg(rest, char *)) ++count;                                                    \
    va_end(rest);                                                                            \
    auto **arguments = static_cast<char **>(__builtin_alloca((count + 1) * sizeof(char *))); \
    va_start(rest, first);                                                                   \
    arguments[0] = const_cast<char *>(first);                                                \
    for (size_t i = 1; i <= count; ++i) arguments[i] = va_arg(rest, char *);                 \
    char **variables = environment_follows ? va_arg(rest, char **) : environ;                \
    va_end(rest);                                                                            \
    return call(path, arguments, variables)

SCKPT_WRAPPER int execl(const char *path, const char *first, ...) noexcept { SCKPT_LISTED(execute, false); }
SCKPT_WRAPPER int execlp(const char *path, const char *first, ...) noexcept { SCKPT_LISTED(execute_found, false); }
SCKPT_WRAPPER int execle(const char *path, const char *first, ...) noexcept { SCKPT_LISTED(execute, true); }
