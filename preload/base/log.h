// Messages of the interceptor, on standard error, one line each, written by a single system call without locks or
// allocation, so that they are possible at any phase.  Slurm's style: "sckpt: error: ...".
#pragma once

namespace sckpt {

enum class Severity { error, warning, info, debug };

// Text is as printf(3) takes it, without the newline.
[[gnu::format(printf, 2, 3)]] void say(Severity severity, const char *text, ...);

// Our own bug, or nothing left to go on with: says so and aborts.
[[noreturn, gnu::format(printf, 1, 2)]] void die(const char *text, ...);

// Everything up to `least` is shown; set from SCKPT_LOG at start, warning before.
void set_log_level(Severity least);
// Text put behind "sckpt: " to tell ranks apart, for example "rank 3: ".
void set_log_rank(int rank);

#define SCKPT_ASSERT(condition)                                                                 \
    do {                                                                                        \
        if (!(condition)) [[unlikely]]                                                          \
            ::sckpt::die("%s:%d: broken assumption: %s", __FILE__, __LINE__, #condition);       \
    } while (false)

}  // namespace sckpt
