// A task without MPI is served by signal handlers alone: by the one that brings the request where the main thread can
// be stopped at once, otherwise by the next tick that finds it somewhere else.
//
// Whether this process is what its task is about is asked anew at each request (task.h), since it depends on what else
// runs then.  A program that is linked with MPI is never served here: before MPI_Init its requests wait for MPI.
#include "preload/serial.h"

#include <dlfcn.h>

#include <atomic>
#include <string>

#include "mpi_coord/coordinator.h"
#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/checkpoint.h"
#include "preload/make_way.h"
#include "preload/meeting.h"
#include "preload/process_tree.h"
#include "preload/request.h"
#include "preload/settings.h"
#include "preload/task.h"
#include "preload/terminate.h"
#include "preload/world.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

using mpi::Decline;

enum class Phase { idle, meeting, stopping };

// Beside mpi::Cause: another task may have called a meeting.
constexpr std::uint32_t kLook = 1u << 31;

bool serial = false;
std::atomic<std::uint32_t> wanted{0};
Phase phase = Phase::idle;
std::uint32_t cause = 0;  // of the checkpoint that is being agreed upon
int turns = 0;            // ticks of the present meeting

Meeting &meeting() {
    static auto *current = new Meeting;
    return *current;
}

const char *verdict(std::uint32_t causes) { return causes & mpi::kTerminate ? unwanted_termination_of_any() : nullptr; }

void end_with(Decline why, const char *reason) {
    phase = Phase::idle;
    checkpoint_declined(cause, why, reason);
}

// A sentence that stands in the way, or empty.
std::string obstacle(TaskRole role, Decline *why) {
    *why = Decline::object;
    if (role == TaskRole::several)
        return "there are several programs without MPI in this task, as in a pipeline: there can be one only";
    bool may_pass = false;
    const char *sentence = blocker(may_pass);
    if (may_pass) *why = Decline::soon;
    return sentence ? sentence : "";
}

void begin_alone(TaskRole role) {
    if (const char *sentence = verdict(cause)) return end_with(Decline::native, sentence);
    Decline why;
    const std::string reason = obstacle(role, &why);
    if (!reason.empty()) return end_with(why, reason.c_str());
    phase = Phase::stopping;
}

void begin_meeting(TaskRole role) {
    std::string error;
    if (!meeting().enter(cause == 0, error)) {
        phase = Phase::idle;
        if (!error.empty()) end_with(Decline::object, error.c_str());
        return;
    }
    phase = Phase::meeting;
    turns = 0;
    if (meeting().leads()) {
        // Asked at once: a task that has ended must not keep the others from ending.
        if (const char *sentence = verdict(cause)) {
            meeting().decide({cause, static_cast<std::int64_t>(Decline::native), world::rank(), 0, sentence});
            return;
        }
        if (cause & (mpi::kInterval | mpi::kCall)) make_others_aware();
    }
    Decline why;
    const std::string reason = obstacle(role, &why);
    const auto code = static_cast<std::int64_t>(reason.empty() ? Decline::none : why);
    if (!meeting().take_part(cause, code, cause & mpi::kCreate ? served_request() : 0, reason))
        end_with(Decline::object, "the checkpoint directory cannot be written");
}

void begin() {
    cause = wanted.exchange(0);
    const TaskRole role = role_in_task();
    if (role == TaskRole::wrapper || role == TaskRole::helper || role == TaskRole::another)
        return leave_termination_to_ranks_below();
    if (world::size() > 1) {
        cause &= ~kLook;
        begin_meeting(role);
    } else if (cause &= ~kLook) {
        begin_alone(role);
    }
}

void look_at_meeting() {
    constexpr int kEvery = 4;  // ticks
    Decision decision;
    if (turns++ % kEvery || !meeting().look(decision, verdict)) return;
    cause = decision.cause;
    note_served_request(decision.request);
    if (decision.why)
        end_with(static_cast<Decline>(decision.why),
                 decision.rank == world::rank() ? decision.reason.c_str() : nullptr);
    else
        phase = Phase::stopping;
}

}  // namespace

bool start_serial() {
    if (runs_commands_only(static_cast<int>(sys::getpid()))) return false;
    nothing_unserved();
    if (dlsym(RTLD_NEXT, "MPI_Init")) return false;
    serial = true;
    world::read_environment();
    if (world::size() > 1) set_log_rank(world::rank());
    take_requests();
    return true;
}

bool is_serial() { return serial && recording(); }

void leave_serial() {
    if (!serial) return;
    serial = false;
    phase = Phase::idle;
    if (const std::uint32_t left = (wanted.exchange(0) | cause) & ~kLook) mpi::request_checkpoint(left);
}

void request_serial(std::uint32_t why) { wanted.fetch_or(why); }
void look_for_meeting() { wanted.fetch_or(kLook); }
bool serial_wanted() { return serial && (wanted || phase != Phase::idle); }
Meeting &current_meeting() { return meeting(); }

void serve_serial(bool may_stop) {
    if (phase == Phase::idle && wanted) begin();
    if (phase == Phase::meeting) look_at_meeting();
    if (phase == Phase::stopping && may_stop) {
        const std::uint32_t agreed = cause;
        phase = Phase::idle;  // and so it is in a restored copy
        cause = 0;
        checkpoint(agreed);
    }
    if (phase == Phase::idle) cause = 0;
    if (!serial_wanted()) set_tick(false);
}

}  // namespace sckpt
