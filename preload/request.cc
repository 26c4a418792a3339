// See request.h.  The handler runs in any thread at any place of the application.  When it finds the thread inside code
// of ours (self.busy) it only leaves attention raised.  Otherwise, in the serving thread (serving.h), it serves the
// agreement at once; another thread passes the signal on to that one.
#include "preload/request.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include <charconv>
#include <string_view>

#include "mpi_coord/coordinator.h"
#include "preload/base/log.h"
#include "preload/base/real.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/checkpoint.h"
#include "preload/serial.h"
#include "preload/serving.h"
#include "preload/settings.h"
#include "preload/signals.h"
#include "preload/stop.h"
#include "preload/terminate.h"
#include "preload/verdict.h"
#include "preload/world.h"

namespace sckpt {
namespace {

std::atomic<std::uint32_t> again{0};  // causes for request_again()
std::atomic<unsigned long> seen_request{0};
char request_path[PATH_MAX];  // a handler that finds the thread inside our heap must not allocate

// Code in which the serving thread must not be stopped for as long as a restart takes: it may hold malloc's or ld.so's
// lock, which the restart needs.
struct Range {
    std::uint64_t start = 0, end = 0;
    bool contains(std::uint64_t address) const { return address >= start && address < end; }
};
Range unsafe_code[4];

Range code_around(const void *address) {
    Range found;
    struct Search {
        std::uint64_t address;
        Range *found;
    } search{reinterpret_cast<std::uint64_t>(address), &found};
    dl_iterate_phdr(
        [](dl_phdr_info *info, size_t, void *data) {
            auto *wanted = static_cast<Search *>(data);
            for (int i = 0; i < info->dlpi_phnum; ++i) {
                const auto &header = info->dlpi_phdr[i];
                const Range range{info->dlpi_addr + header.p_vaddr, info->dlpi_addr + header.p_vaddr + header.p_memsz};
                if (header.p_type == PT_LOAD && (header.p_flags & PF_X) && range.contains(wanted->address)) {
                    *wanted->found = range;
                    return 1;
                }
            }
            return 0;
        },
        &search);
    return found;
}

// The thread stands at a system call instruction that it is to repeat, or just behind one that was interrupted: it
// waits, and holds no lock of malloc unless the call is one that malloc makes.
bool at_blocking_call(const greg_t *registers) {
    const auto *code = reinterpret_cast<const unsigned char *>(registers[REG_RIP]);
    auto is_syscall = [](const unsigned char *at) { return at[0] == 0x0f && at[1] == 0x05; };
    if (is_syscall(code - 2) && registers[REG_RAX] == -EINTR) return true;
    if (!is_syscall(code)) return false;
    switch (registers[REG_RAX]) {
        case SYS_mmap:
        case SYS_munmap:
        case SYS_mremap:
        case SYS_mprotect:
        case SYS_madvise:
        case SYS_brk:
            return false;
        default:
            return true;
    }
}

bool may_stop_at(const void *context) {
    const greg_t *registers = static_cast<const ucontext_t *>(context)->uc_mcontext.gregs;
    const auto place = static_cast<std::uint64_t>(registers[REG_RIP]);
    for (const Range &range : unsafe_code)
        if (range.contains(place)) return at_blocking_call(registers);
    return true;
}

// The thread waits in a blocking collective of the lower half, and not in anything of ours that was called from there.
bool deaf_at(const void *context) {
    const auto place = static_cast<const ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP];
    return self.in_collective && self.busy == 1 && !unsafe_code[3].contains(static_cast<std::uint64_t>(place));
}

// The request file names the request; a signal that comes late or twice finds a number that has been seen.
bool take_request_file() {
    char text[512];
    const long length = sys::read_file(request_path, text, sizeof text);
    if (length <= 0) return false;
    const std::string_view all(text, static_cast<size_t>(length));
    const size_t at = all.find("id=");
    unsigned long id = 0;
    if (at == all.npos || std::from_chars(all.data() + at + 3, all.data() + all.size(), id).ec != std::errc{})
        return false;
    if (id <= seen_request) return false;
    seen_request = id;
    return true;
}

void serve_now(void *context) {
    // A thread that is about to begin or to end has no record.
    ThreadRecord *const serving = serving_thread();
    if (self.record != serving || !serving) {
        if (serving) sys::tgkill(sys::getpid(), serving->kernel_id, park_signal());
        return;
    }
    if (!self.busy) {
        ++self.busy;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        with_room([&] {
            if (is_serial())
                serve_serial(may_stop_at(context));
            else
                mpi::tick(may_stop_at(context));
        });
        std::atomic_signal_fence(std::memory_order_seq_cst);
        --self.busy;
    }
    // Not taken up: the thread is in a wrapper that does not look on its way out, and it may never call MPI again.
    if ((attention & kRequested) || serial_wanted()) set_tick(true);
}

bool request_any(std::uint32_t cause) {
    if (mpi::mpi_running())
        mpi::request_checkpoint(cause);
    else if (is_serial())
        request_serial(cause);
    else
        return false;
    return true;
}

void on_signal(int number, siginfo_t *info, void *context) {
    const int saved_errno = errno;
    ++self.our_signals;
    if (number == park_signal()) {
        start_lower_here();
        const bool ours = info->si_code == SI_TIMER;
        const int kind = ours ? info->si_value.sival_int : kTimers;
        if (kind == kWriter) {
            with_room(follow_background_write);
        } else if (kind == kRetry) {
            retry_termination();
            serve_now(context);
        } else if (kind == kAgain) {
            if (request_any(again.exchange(0))) serve_now(context);
        } else if (kind == kFollow) {
            with_room([&] { follow_termination(deaf_at(context)); });
        } else if (kind == kInterval) {
            if (request_any(mpi::kInterval)) serve_now(context);
        } else if ((attention & kStopping) && kind == kTimers) {
            if (!self.busy) park_if_stopping();
        } else {
            serve_now(context);
        }
    } else if (number == kRequestSignal) {
        if ((mpi::mpi_running() || is_serial()) && take_request_file()) {
            request_any(mpi::kCreate);
            serve_now(context);
        } else if (mpi::mpi_finished() && !self.busy && take_request_file()) {
            log_event("-", "declined request=" + std::to_string(seen_request) + " rank " +
                               std::to_string(mpi::world_rank()) + ": MPI_Finalize has been called");
        } else {
            if (is_serial() && world::size() > 1) {
                look_for_meeting();
                serve_now(context);
            }
            deliver_to_application(number, info, context);
        }
    } else if (number == kTerminateSignal) {
        if (terminate_requested(info, context)) serve_now(context);
    }
    deliver_pending(context);
    errno = saved_errno;
}

void begin_incarnation() {
    const std::string path = incarnation_directory() + "/request";
    SCKPT_ASSERT(path.size() < sizeof request_path);
    strcpy(request_path, path.c_str());
    place_verdict();
    make_timers();
    restart_interval();
}

}  // namespace

void take_requests() {
    begin_serving();
    unsafe_code[0] = code_around(dlsym(RTLD_DEFAULT, "malloc"));
    unsafe_code[1] = code_around(reinterpret_cast<void *>(real::pthread_create));
    unsafe_code[2] = code_around(dlsym(RTLD_DEFAULT, "__tls_get_addr"));
    unsafe_code[3] = code_around(reinterpret_cast<void *>(&start_requests));
    hide_signals(on_signal);
    begin_incarnation();
}

void start_requests() {
    take_requests();
    start_lower_in_threads();
    leave_serial();
    // Asked for before MPI_Init had ended: the signal found nobody.
    if (take_request_file()) mpi::request_checkpoint(mpi::kCreate);
}

void restart_requests() {
    again = 0;
    seen_request = 0;  // requests are numbered anew in each incarnation
    begin_incarnation();
}

void set_tick(bool on) {
    constexpr std::int64_t kPeriod = 1'000'000;
    set_timer(kTick, on ? kPeriod : 0, on ? kPeriod : 0);
}

void watch_writer(bool on) {
    constexpr std::int64_t kPeriod = 100'000'000;
    set_timer(kWriter, on ? kPeriod : 0, on ? kPeriod : 0);
}

void retry_later() { set_timer(kRetry, 1'000'000'000, 0); }

void request_again(std::uint32_t cause) {
    constexpr std::int64_t kPause = 100'000'000;
    again |= cause;
    set_timer(kAgain, kPause, 0);
}

void follow_later(int milliseconds) { set_timer(kFollow, milliseconds * 1'000'000ll, 0); }

void restart_interval() {
    set_timer(kInterval, static_cast<std::int64_t>(settings().spec.interval_seconds) * 1'000'000'000, 0);
}

unsigned long served_request() { return seen_request; }

void note_served_request(unsigned long id) {
    if (id > seen_request) seen_request = id;
}

}  // namespace sckpt

// For applications (sckpt.h): asks for a checkpoint of the whole job soon.  Returns 0 when asked, -1 when no checkpoint
// is possible.
extern "C" [[gnu::visibility("default")]] int sckpt_checkpoint(void) {
    using namespace sckpt;
    if (is_serial()) {
        Busy busy;
        request_serial(mpi::kCall);  // which wakes the others itself
        set_tick(true);
        return 0;
    }
    if (!mpi::mpi_running()) return -1;
    mpi::request_checkpoint(mpi::kCall);
    make_others_aware();
    Guard guard;
    return 0;
}

namespace sckpt {

void attend_entry() {
    for (;;) {
        const std::uint32_t wanted = attention.load();
        if (wanted & kGated)
            sys::yield();  // a restart has not made MPI again yet
        else if (wanted & kStopping)
            park_if_stopping();
        else
            break;
    }
    if (attention.load() & (kRequested | kSettling)) mpi::serve_passing();
}

void attend_exit() {
    park_if_stopping();
    if (!(attention.load() & (kRequested | kSettling))) return;
    ++self.busy;
    mpi::serve_passing();
    --self.busy;
}

}  // namespace sckpt
