#include "preload/base/log.h"

#include <signal.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "preload/base/system.h"

namespace sckpt {
namespace {

Severity shown = Severity::warning;
int known_rank = -1;

void write_line(const char *kind, const char *text, va_list arguments) {
    char line[1024];
    int length = known_rank < 0 ? std::snprintf(line, sizeof line, "sckpt: %s", kind)
                                : std::snprintf(line, sizeof line, "sckpt: rank %d: %s", known_rank, kind);
    length += std::vsnprintf(line + length, sizeof line - static_cast<size_t>(length) - 1, text, arguments);
    if (length > static_cast<int>(sizeof line) - 2) length = sizeof line - 2;
    line[length] = '\n';
    sys::write(2, line, static_cast<size_t>(length) + 1);
}

}  // namespace

void say(Severity severity, const char *text, ...) {
    if (severity > shown) return;
    static const char *const kinds[] = {"error: ", "warning: ", "", "debug: "};
    va_list arguments;
    va_start(arguments, text);
    write_line(kinds[static_cast<int>(severity)], text, arguments);
    va_end(arguments);
}

void die(const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    write_line("error: ", text, arguments);
    va_end(arguments);
    // abort() would run the application's handler and take stdio locks; this ends the process the same way.
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        unsigned long mask;
    } standard{SIG_DFL, 0, nullptr, 0};
    system_call(SYS_rt_sigaction, SIGABRT, as_long(&standard), 0, 8);
    sys::tgkill(sys::getpid(), sys::gettid(), SIGABRT);
    for (;;) system_call(SYS_exit_group, 134);
}

void set_log_level(Severity least) { shown = least; }
void set_log_rank(int rank) { known_rank = rank; }

}  // namespace sckpt
