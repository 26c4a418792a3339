#include "preload/terminate.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#include <algorithm>
#include <atomic>

#include "mpi_coord/coordinator.h"
#include "preload/base/clock.h"
#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/base/thread.h"
#include "preload/checkpoint.h"
#include "preload/request.h"
#include "preload/serial.h"
#include "preload/settings.h"
#include "preload/signals.h"
#include "preload/slurm_state.h"
#include "preload/spawn.h"
#include "preload/verdict.h"
#include "preload/world.h"
#include "preload/wrapper.h"

namespace sckpt {
namespace {

std::atomic<unsigned> received{0};   // SIGTERMs in this incarnation
std::atomic<bool> held_back{false};  // one waits for the outcome of a checkpoint
siginfo_t held_info;
unsigned received_before_requeue = 0;
bool asked = false;  // rank 0 has asked Slurm for the present SIGTERM
Fate fate = Fate::unknown;

constexpr int kPatience_ms = 10'000;

// How a held SIGTERM is followed: less and less often, since thousands of ranks may look into one directory.
constexpr int kFirstLook_ms = 250, kSlowestLook_ms = 4'000;
int next_look_ms = kFirstLook_ms;
std::uint32_t followed_epoch = 0;  // the verdict of which has been carried out without a message

// The SIGTERM of one event does not reach all ranks at once: to one that has learnt the verdict already it comes later.
constexpr std::int64_t kStraggling_ns = 3 * kSecondNs;
std::int64_t native_since = 0;  // when the last native verdict was carried out here; 0: never

std::int64_t now() { return kernel_time(CLOCK_MONOTONIC); }

Program slurm_command(std::initializer_list<std::string> arguments) {
    Program program;
    program.arguments = {"/usr/bin/env"};
    program.arguments.insert(program.arguments.end(), arguments);
    return program;
}

Fate ask_slurm() {
    if (settings().job_id.empty()) return Fate::running;
    int status;
    const std::string text = run_for_output(slurm_command({"scontrol", "--oneliner", "show", "job", settings().job_id}),
                                            kPatience_ms, &status);
    return fate_of(text, settings().incarnation);
}

bool wanted_for(Fate why) {
    const base::Spec &spec = settings().spec;
    switch (why) {
        case Fate::preempted:
        case Fate::requeued:
            return spec.on_preempt;
        case Fate::time_limit:
            return spec.on_timelimit;
        case Fate::cancelled:
            return false;
        case Fate::running:
        case Fate::unknown:
            return spec.on_term;
    }
    return false;
}

void request(std::uint32_t cause) {
    if (is_serial())
        request_serial(cause);
    else
        mpi::request_checkpoint(cause);
}

void deliver_held() {
    if (!held_back.exchange(false)) return;
    asked = false;
    follow_later(0);
    deliver_to_application(SIGTERM, &held_info, nullptr);
}

void take_native_course() {
    native_since = now();
    deliver_held();
}

void ask_once() {
    if (asked) return;
    fate = ask_slurm();
    asked = held_back;
    say(Severity::info, "SIGTERM: the job is %s", name_of(fate));
}

}  // namespace

bool terminate_requested(siginfo_t *info, void *context) {
    ++received;
    if (held_for_requeue()) return false;
    const base::Spec &spec = settings().spec;
    const bool possible = (mpi::mpi_running() || is_serial()) &&
                          (spec.on_term || (!settings().job_id.empty() && (spec.on_preempt || spec.on_timelimit)));
    const bool straggler = native_since && now() - native_since < kStraggling_ns;
    if (!possible || straggler) {
        deliver_to_application(SIGTERM, info, context);
        return false;
    }
    if (!held_back.exchange(true)) {
        held_info = *info;
        if (mpi::mpi_running()) follow_later(next_look_ms = kFirstLook_ms);
    }
    request(mpi::kTerminate);
    return true;
}

const char *unwanted_termination() {
    const char *sentence = held_back ? unwanted_termination_of_any() : nullptr;
    if (sentence) publish_verdict(mpi::current_epoch());
    return sentence;
}

void follow_termination(bool deaf) {
    if (!held_back || !mpi::mpi_running()) return;
    if (world::rank() == 0 && deaf && !asked) {
        ask_once();
        if (!wanted_for(fate)) publish_verdict(mpi::current_epoch());
    }
    const std::uint32_t verdict = published_verdict();
    if (verdict > mpi::last_epoch() && verdict > followed_epoch) {
        followed_epoch = verdict;
        take_native_course();
        return;
    }
    next_look_ms = std::min(2 * next_look_ms, kSlowestLook_ms);
    follow_later(next_look_ms);
}

const char *unwanted_termination_of_any() {
    ask_once();
    static char sentence[128];
    if (wanted_for(fate)) return nullptr;
    snprintf(sentence, sizeof sentence, "the job is %s, and no checkpoint was asked for then", name_of(fate));
    return sentence;
}

void note_terminations() { received_before_requeue = received; }

bool end_after_commit() {
    enum Action : std::int32_t { native, wait_for_slurm };
    std::int32_t action = native;
    if (world::rank() == 0) {
        if (!asked) fate = ask_slurm();
        if (fate == Fate::preempted || fate == Fate::requeued) {
            action = wait_for_slurm;
            if (fate == Fate::preempted && settings().spec.requeue == base::Requeue::kAuto) {
                int status;
                run_for_output(slurm_command({"scontrol", "requeue", settings().job_id}), kPatience_ms, &status);
                if (status != 0) say(Severity::info, "Slurm did not take the requeue: holding until it acts");
            }
        }
    }
    return world::broadcast(&action, sizeof action) && action == wait_for_slurm;
}

void hold_until_the_end() {
    // The requeue makes Slurm send another SIGTERM, and later SIGKILL.  Ending by the signal, and only then, leaves the
    // batch script no time to go on as if the step had succeeded.
    unsigned long all = ~0ul;
    all &= ~(1ul << (SIGTERM - 1));
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, as_long(&all), 0, 8);
    timespec moment{0, 100'000'000};
    while (received == received_before_requeue) system_call(SYS_ppoll, 0, 0, as_long(&moment), 0, 8);
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        unsigned long mask;
    } standard{SIG_DFL, 0, nullptr, 0};
    system_call(SYS_rt_sigaction, SIGTERM, as_long(&standard), 0, 8);
    for (;;) {
        system_call(SYS_kill, sys::getpid(), SIGTERM);
        system_call(SYS_ppoll, 0, 0, as_long(&moment), 0, 8);
    }
}

void after_checkpoint() {
    restart_interval();
    deliver_held();
}

void after_declined(bool native) {
    restart_interval();
    if (native) {
        take_native_course();
    } else if (held_back) {
        asked = false;  // by then the job may have been cancelled
        retry_later();
    }
}

void leave_termination_to_ranks_below() {
    if (held_back && hold_for_rank_below(held_info)) held_back = false;
    deliver_held();
}

void retry_termination() {
    if (held_back && (mpi::mpi_running() || is_serial())) request(mpi::kTerminate);
}

void make_others_aware() {
    if (settings().job.empty()) return;
    int status;
    run_for_output(slurm_command({"scancel", "--signal=URG", settings().job}), kPatience_ms, &status);
}

void forget_terminate() {
    held_back = false;
    asked = false;
    received = 0;
    native_since = 0;
    followed_epoch = 0;
}

}  // namespace sckpt
