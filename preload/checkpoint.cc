// THE PATH: one function that reads as the phases of a checkpoint, with one undo.  What is true when each ends:
//
//   REQUEST, SETTLE   (mpi_coord/coordinator.cc) no rank is inside a collective; all members of every communicator have
//                     entered equally many
//   STOP     no code of the application runs in any rank
//   DRAIN    nothing in the network belongs to the application; what was in it is in the upper half
//   RECORD   a complete image is described
//   WRITE    a snapshot holds the memory and a writer program reads it (or, synchronously, has read this rank)
//   COMMIT   exactly one more generation is valid, or nothing has changed
//   RESUME   the application goes on as if nothing had happened
//
// From STOP to the snapshot no malloc of the base libc, no stdio, no dlopen: a parked thread may hold their locks.
#include "preload/checkpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string_view>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/clock.h"
#include "preload/base/log.h"
#include "preload/base/own_heap.h"
#include "preload/base/system.h"
#include "preload/describe.h"
#include "preload/generations.h"
#include "preload/mutexes.h"
#include "preload/regions.h"
#include "preload/request.h"
#include "preload/resources.h"
#include "preload/restart.h"
#include "preload/settings.h"
#include "preload/shared_memory.h"
#include "preload/snapshot.h"
#include "preload/stop.h"
#include "preload/terminate.h"
#include "preload/world.h"

namespace sckpt {
namespace {

WriteJob background;
bool held = false;

std::string cause_text(std::uint32_t cause) {
    std::string text;
    auto add = [&](std::uint32_t bit, const char *name) {
        if (cause & bit) text += (text.empty() ? "" : "+") + std::string(name);
    };
    add(mpi::kInterval, "interval");
    add(mpi::kTerminate, "preempt");
    add(mpi::kCreate, "create");
    add(mpi::kCall, "call");
    return text;
}

// Outcomes of RECORD, as bits on which the ranks agree.
constexpr std::uint32_t kFailed = 1, kDeclined = 2;

// RECORD.  Returns a sentence when it cannot be done; `outcome` then says which kind of reason that is.
std::string record(Plan &plan, std::uint32_t generation, std::uint32_t cause, std::uint32_t *outcome) {
    *outcome = kFailed;
    if (mpi::mpi_running())
        if (std::string refusal = mpi::record_objects(); !refusal.empty()) return refusal;
    describe_process(plan, generation, cause_text(cause));
    describe_objects(plan);
    record_process(plan);
    record_threads(plan);
    record_signals(plan);
    record_timers(plan);
    if (const char *refusal = record_files(plan, settings().spec.copy_files)) return refusal;
    record_identity(plan);
    record_layout(plan.process);
    bool is_read = false;
    if (const char *refusal = record_regions(plan, is_read)) {  // last: what it lists must not change any more
        if (is_read) *outcome = kDeclined;
        return refusal;
    }
    *outcome = 0;
    return {};
}

// Undo: nothing was committed, everything goes on.
void go_on() {
    if (mpi::mpi_running()) mpi::resume_objects();
    release_threads();
}

void fail(const char *what, const std::string &why) {
    go_on();
    if (!why.empty()) say(Severity::warning, "checkpoint failed: %s", why.c_str());
    log_event("-", std::string(what) + " rank " + std::to_string(world::rank()) + ": " +
                       (why.empty() ? "another rank could not take part" : why));
}

// Of this rank's writer.  In a handler, too: nothing is allocated.
void report(WriteState state, const WriteJob &job) {
    const std::string_view name = generation_name(job.partial);
    const int length = static_cast<int>(name.size());
    if (state == WriteState::committed) say(Severity::info, "checkpoint %.*s committed", length, name.data());
    if (state != WriteState::failed) return;
    const std::string_view reason = failure_of(job);
    char why[512];
    snprintf(why, sizeof why, "%.*s", static_cast<int>(reason.size()), reason.data());
    if (!job.undone) give_up_generation(job.partial, why);
    say(Severity::warning, "checkpoint %.*s failed: %s", length, name.data(), why);
}

// The handler that follows a background write must not find the job while checkpoint() is changing it.
std::atomic<bool> job_in_use{false};
struct UsingJob {
    UsingJob() { job_in_use = true; }
    ~UsingJob() { job_in_use = false; }
};

}  // namespace

bool held_for_requeue() { return held; }

const char *blocker(bool &may_pass) {
    if (const char *sentence = blocker_files()) return sentence;
    if (const char *sentence = blocker_mutexes()) return sentence;
    if (const char *sentence = blocker_memory()) return sentence;
    if (const char *sentence = blocker_process()) return sentence;
    return blocker_children(may_pass);
}

void checkpoint_declined(std::uint32_t cause, mpi::Decline why, const char *reason) {
    if (why == mpi::Decline::soon) {
        if (cause & mpi::kTerminate) after_declined(false);
        if (const std::uint32_t others = cause & ~mpi::kTerminate) request_again(others);
        return;
    }
    if (reason) {
        std::string text = "declined";
        if (cause & mpi::kCreate) text += " request=" + std::to_string(served_request());
        text += " rank " + std::to_string(world::rank()) + ": " + reason;
        log_event("-", text);
        say(Severity::info, "no checkpoint: %s", reason);
    }
    after_declined(why == mpi::Decline::native);
}

void follow_background_write() {
    if (job_in_use || !background.holder) return;
    const WriteState state = follow_write(background, false);
    if (state == WriteState::running) return;
    watch_writer(false);
    report(state, background);
}

void checkpoint(std::uint32_t cause) {
    const UsingJob using_job;
    const std::int64_t begun = kernel_time(CLOCK_MONOTONIC);
    if (background.holder) report(follow_write(background, true), background);

    // STOP
    const char *not_stopped = park_threads();
    constexpr std::size_t kRoom = 16 << 20;  // for the records of most programs
    if (!not_stopped && !own_room(kRoom)) not_stopped = "there is no memory left for the records of a checkpoint";

    // DRAIN
    if (mpi::mpi_running()) mpi::drain_network();
    const std::int64_t drained = kernel_time(CLOCK_MONOTONIC);
    if (world::agree_union(not_stopped != nullptr)) {
        fail("failed", not_stopped ? not_stopped : "");
        after_checkpoint();
        return;
    }

    // RECORD
    static Plan plan;
    plan = {};
    const auto partial = begin_generation();
    std::uint32_t outcome = kFailed;
    std::string failure = partial ? record(plan, generation_number(*partial), cause, &outcome) : partial.error();
    const bool wanted_synchronous = settings().spec.synchronous || (cause & mpi::kTerminate);
    const bool synchronous = world::agree_union(wanted_synchronous || needs_synchronous_write(plan)) != 0;
    outcome = world::agree_union(outcome);
    release_claims();
    if (outcome) {
        unmap_written_files();
        if (world::rank() == 0 && partial) remove_generation(partial->c_str());
        if (outcome == kDeclined) {
            go_on();
            return checkpoint_declined(cause, mpi::Decline::object, failure.empty() ? nullptr : failure.c_str());
        }
        fail("failed", failure);
        after_checkpoint();
        return;
    }

    // WRITE
    if (sckpt_save_context(resume_point(plan.process)) != 0) {
        forget_write(background);
        restart();
        log_event(restored_generation(), "restored rank " + std::to_string(world::rank()));
        resume_from_restart();
        return;
    }
    note_resume_point(plan.process);
    failure = start_write(background, plan, *partial, must_read_in_place());
    if (!failure.empty()) {
        give_up_generation(partial->c_str(), failure.c_str());
        say(Severity::warning, "checkpoint failed: %s", failure.c_str());
    }
    await_pages_read(background);
    const auto ms = [](std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; };
    say(Severity::debug, "settle %.3f ms, drain %.3f ms, stopped %.3f ms",
        mpi::mpi_running() ? ms(begun - mpi::settling_since()) : 0, ms(drained - begun),
        ms(kernel_time(CLOCK_MONOTONIC) - begun));

    // COMMIT, by the writer of rank 0: at once, or while the ranks run on
    bool committed = false;
    if (synchronous) {
        const bool started = background.holder != 0;
        const WriteState state = follow_write(background, true);
        if (started) report(state, background);
        note_terminations();
        committed = world::agree_after_commit(world::rank() == 0 && state != WriteState::committed) == 0;
    } else if (background.in_place) {
        // No memory for a snapshot, nor for a holder that would keep the writer from the application's wait().
        if (background.holder) report(follow_write(background, true), background);
    } else if (background.holder) {
        watch_writer(true);
    }

    // RESUME
    unmap_written_files();
    if (committed && (cause & mpi::kTerminate) && end_after_commit()) {
        held = true;
        hold_until_the_end();
    }
    go_on();
    after_checkpoint();
}

}  // namespace sckpt
