// The driver of the agreement.  See coordinator.h; the rules themselves are in settle.h.
//
// One thread at a time serves (`serving`).  With MPI_THREAD_MULTIPLE that is whichever comes by; below that it is the
// thread that the application itself uses for MPI, or the tick in the thread that initialised it.
#include "mpi_coord/coordinator.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <unordered_map>

#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/control.h"
#include "mpi_coord/hints.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/settle.h"
#include "mpi_coord/synchronous.h"
#include "mpi_coord/threads.h"
#include "mpi_coord/wait.h"
#include "mpi_coord/win.h"
#include "preload/base/clock.h"
#include "preload/base/log.h"
#include "preload/base/system.h"

namespace sckpt::mpi {

std::atomic<int> hold_counts[kHolds];

namespace {

using mpi_coord::Phase;
using mpi_coord::Settle;

Hooks hooks;
std::unique_ptr<Settle> settle;
Spin serving;
std::atomic<int> need_to_serve{0};     // threads in lock_serving()
std::atomic<std::uint32_t> wanted{0};  // causes asked for and not yet taken up
std::uint32_t ended_epoch = 0;         // the last one whose end has been dealt with
std::string decline_reason;            // of this rank, in the current epoch
bool running = false, finished = false;
std::unordered_map<mpi_coord::CommunicatorId, std::int64_t> meetings;  // calls so far; see enter_meeting()
int level = MPI_THREAD_SINGLE;
std::int64_t joined_at = 0;  // see settling_since()
std::atomic<ThreadRecord *> checkpointing{nullptr};  // who takes a checkpoint, or has been restored in it

// A name for what forbids a checkpoint, or empty.
std::string find_blocker(Decline *why) {
    *why = Decline::native;
    if (const char *sentence = control::rank() == 0 ? hooks.unwanted() : nullptr) return sentence;
    *why = Decline::object;
    for (unsigned i = 0; i < kHolds; ++i)
        if (hold_counts[i] > 0) return kHoldSentences[i];
    bool may_pass = false;
    const char *sentence = hooks.blocker(may_pass);
    if (may_pass) *why = Decline::soon;
    return sentence ? sentence : "";
}

void join(std::uint32_t epoch, std::uint32_t cause) {
    const bool fresh = settle->phase() == Phase::idle;
    attention.fetch_or(kSettling);
    if (fresh) await_entering();
    std::vector<mpi_coord::Count> counts;
    auto add = [&](CommRecord *comm) {
        if (comm->info && !comm->info->foreign)
            counts.push_back({comm->info->id, comm->collectives});
    };
    add(record_of(MPI_COMM_WORLD));
    add(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, add);
    for (const auto &[id, entered] : meetings) counts.push_back({id, entered});
    const bool joined = settle->become_aware(epoch, cause, counts);
    if (settle->phase() == Phase::idle) attention.fetch_and(~static_cast<std::uint32_t>(kSettling));
    if (!joined || !fresh) return;
    joined_at = kernel_time(CLOCK_MONOTONIC);
    // One rank asks by itself: the tree alone would not reach ranks that have nothing to say to it.
    if (cause & kCall)
        for (int rank = 0; rank < control::size(); ++rank)
            if (rank != control::rank())
                control::send(rank, {mpi_coord::Kind::wake, epoch, 0, 0, 0, 0});
    hooks.set_tick(true);
    Decline why;
    decline_reason = find_blocker(&why);
    if (!decline_reason.empty()) settle->give_up(static_cast<std::int64_t>(why));
}

void take_up_requests() {
    attention.fetch_and(~static_cast<std::uint32_t>(kRequested));
    if (const std::uint32_t cause = wanted.exchange(0))
        join(current_epoch(), cause);
}

void back_to_idle() {
    hooks.set_tick(false);
    attention.fetch_and(~static_cast<std::uint32_t>(kSettling));
    forget_waits();
    ended_epoch = settle->epoch();
    decline_reason.clear();
}

void notice_end() {
    if (settle->phase() != Phase::idle || settle->epoch() == ended_epoch) return;
    const std::uint32_t cause = settle->cause();
    const std::string reason = decline_reason;
    const auto why = static_cast<Decline>(settle->last_abandoned().reason);
    back_to_idle();
    if (why == Decline::passing)
        request_checkpoint(cause);
    else
        hooks.declined(cause, why, reason.empty() ? nullptr : reason.c_str());
}

void exchange_messages() {
    control::receive_all(
        [](int from, const mpi_coord::Message &message) {
            settle->receive(static_cast<std::uint32_t>(from), message);
        },
        take_receipt);
    if (settle->must_become_aware()) join(settle->pending_epoch(), 0);
}

void send_messages() {
    if (settle->outbox_empty()) return;
    static std::vector<mpi_coord::Outgoing> out;
    settle->take_outbox(out);
    for (const auto &message : out) control::send(static_cast<int>(message.to), message.message);
}

void run_checkpoint() {
    const std::uint32_t cause = settle->cause();
    control::finish_sends();
    checkpointing = self.record;
    hooks.checkpoint(cause);
    checkpointing = nullptr;
    settle->resume();
    back_to_idle();
    // What was asked for during the epoch and came too late for it is asked for again.
    if (const std::uint32_t late = settle->late_cause()) request_checkpoint(late);
}

// The right to serve, for a thread that needs it now.  Whoever holds it may be stopping the others.  Threads that wait
// and serve hold it nearly all the time, so they leave it to this one first.
void lock_serving() {
    ++need_to_serve;
    while (!serving.try_lock()) {
        park_if_stopping();
        sys::yield();
    }
    --need_to_serve;
}

// R12, from the state of the windows: told anew in every turn.
void tell_of(const WinRecord *win, bool *obliged) {
    const WinInfo &info = *win->info;
    const mpi_coord::CommunicatorId id = win->comm->info->id, side = mix_id(id, 1);
    if (win->comm->info->foreign) return;
    settle->holds(id, info.holds_lock());
    if (info.waits_for_lock > 0)
        settle->waits_inside(id, true, win->comm->info->everybody());
    else
        settle->comes_out(id);
    if (info.waits_for_group > 0)
        settle->waits_inside(side, false, world_ranks_of(win, info.access_group));
    else
        settle->comes_out(side);
    if (win->operations != 0 && info.fenced && !info.accessing && !info.holds_lock())
        settle->will_enter(id, info.fence != 0 ? info.fence : win->comm->collectives + 1);
    *obliged |= info.accessing;
}

void tell_of_all_windows() {
    RecordList &windows = live_records[static_cast<size_t>(::sckpt::mpi::Kind::Win)];
    bool obliged = false;
    windows.lock.lock();
    for (Record *record = windows.first; record; record = record->next)
        tell_of(static_cast<WinRecord *>(record), &obliged);
    windows.lock.unlock();
    settle->oblige(obliged);
}

// Locks that may not have been granted yet: a rank that stops must not wait for one.
void await_locks() {
    for_each_live<WinRecord>(::sckpt::mpi::Kind::Win, [](WinRecord *win) {
        if (!win->info->unsure) return;
        ++win->info->waits_for_lock;
        tell_of_all_windows();
        send_messages();
        make_sure_of_locks(win);
        --win->info->waits_for_lock;
    });
}

// One turn, by whoever has the right to serve.
void serve_locked(bool may_stop) {
    if (attention.load(std::memory_order_relaxed) & kRequested) take_up_requests();
    exchange_messages();
    if (settle->phase() != Phase::idle) {
        tell_of_waits(*settle);
        await_locks();
        tell_of_all_windows();
        settle->poll(outside_collectives());
    }
    send_messages();
    notice_end();
    if (settle->stopped() && may_stop) run_checkpoint();
}

// `peers`: what the thread waits for in point-to-point, null when it does not.
void serve(const Peers *peers) {
    if (!running || need_to_serve != 0 || !serving.try_lock()) {
        sys::yield();
        return;
    }
    peers ? note_wait(*peers) : note_call();
    serve_locked(true);
    serving.unlock();
}

}  // namespace

void set_hooks(const Hooks &given) { hooks = given; }
bool mpi_running() { return running; }
bool mpi_finished() { return finished; }
int world_rank() { return control::rank(); }
int world_size() { return control::size(); }
int thread_level() { return level; }
std::uint32_t current_epoch() { return settle->phase() == Phase::idle ? settle->epoch() + 1 : settle->epoch(); }
std::uint32_t last_epoch() { return ended_epoch; }
std::int64_t settling_since() { return joined_at; }

void request_checkpoint(std::uint32_t cause) {
    wanted.fetch_or(cause);
    attention.fetch_or(kRequested);
}

void tick(bool may_stop) {
    if (!running || !serving.try_lock()) return;
    // Below MPI_THREAD_MULTIPLE a thread that enters now waits in serve_passing() until this turn is over.
    note_tick();
    if (level == MPI_THREAD_MULTIPLE || !others_inside()) serve_locked(may_stop);
    serving.unlock();
}

void serve_waiting(const Peers &peers) {
    // Parked here and restored, the thread must not look at its request before that has been made again.
    for (std::uint32_t wanted; self.record != checkpointing && (wanted = attention.load()) & (kStopping | kGated);) {
        park_if_stopping();
        if (wanted & kGated) sys::yield();
    }
    serve(&peers);
}

void waited() {
    if (!serving.try_lock()) return;
    note_no_wait();
    if (settle && settle->phase() != Phase::idle) {
        tell_of_waits(*settle);
        send_messages();
    }
    serving.unlock();
}

void look_for_control() {
    if (!running || !serving.try_lock()) return;
    exchange_messages();
    send_messages();
    serving.unlock();
}

namespace {

// A collective that is to be entered: what it is to the agreement, and the number of those entered so far.
struct Entry {
    mpi_coord::CommunicatorId id;
    std::int64_t *entered;
};

// Serves until attempt() succeeds, which is made under the right to serve.
template <class Attempt>
void serve_until(Attempt attempt) {
    self.entering = false;
    for (;;) {
        lock_serving();
        const bool done = attempt();
        if (running) send_messages();
        serving.unlock();
        if (done) return;
        park_if_stopping();
        sys::yield();
        serve(nullptr);
    }
}

// Stands at the gate until this rank may enter one of `next`; then all are announced and counted at once, before any is
// entered: held between two it would be owed by those it has announced the first to.
void pass_gate(std::span<const Entry> next) {
    Patience patience;
    serve_until([&] {
        if (running && settle->phase() != Phase::idle) {
            if (settle->phase() == Phase::stopped ||
                std::ranges::none_of(next, [&](const Entry &entry) {
                    return settle->may_enter(entry.id) && patience.exhausted(*settle, settle->is_due(entry.id));
                }))
                return false;
            for (const auto &[id, entered] : next) settle->entering(id, *entered + 1);
            note_no_wait();
            tell_of_waits(*settle);
        }
        for (const Entry &entry : next) ++*entry.entered;
        self.in_collective = true;
        return true;
    });
}

}  // namespace

void serve_passing() {
    if (level != MPI_THREAD_SERIALIZED) return serve(nullptr);
    lock_serving();  // the tick of another thread may be in the lower half
    note_call();
    if (running) serve_locked(true);
    serving.unlock();
}

// An access epoch has to be ended in any case, and so has one that others close by a fence.
void stand_before_waiting(const WinRecord *win, void (*begin)(void *), void *what) {
    Patience patience;
    serve_until([&] {
        if (running && !(settle->may_block() &&
                         patience.exhausted(*settle, win->info->accessing || settle->is_due(win->comm->info->id))))
            return false;
        begin(what);
        if (running) {
            note_no_wait();
            tell_of_waits(*settle);
            tell_of_all_windows();
        }
        return true;
    });
}

void tell_of_windows() {
    if (!running) return;
    lock_serving();
    if (settle->phase() != Phase::idle) tell_of_all_windows();
    send_messages();
    serving.unlock();
}

void stand_at_gate(CommRecord *comm) {
    if (comm && comm->info && !comm->info->foreign) {
        pass_gate(std::array{Entry{comm->info->id, &comm->collectives}});
    } else {
        self.in_collective = true;
        if (comm) ++comm->collectives;
    }
}

void enter_meeting(CommRecord *comm, std::uint64_t id, std::span<const std::uint32_t> members) {
    lock_serving();
    const auto [place, is_new] = meetings.try_emplace(id, 0);
    std::int64_t &calls = place->second;  // stays where it is
    if (is_new && settle) {
        settle->add_communicator(id, members, 0);
        send_messages();
    }
    serving.unlock();
    if (comm)
        pass_gate(std::array{Entry{comm->info->id, &comm->collectives}, Entry{id, &calls}});
    else
        pass_gate(std::array{Entry{id, &calls}});
}

// While not everybody is aware the end of the epoch must not be waited for: who would have to pass it on may be inside the
// very call, deaf, and wait for this rank.  Nor need it be: on its way up the tree what is sent here precedes this rank's
// answer to any wave, so the epoch cannot come to a cut.  Once all are aware, those inside such a call have been here
// before, and the end is on its way.
void abandon_epoch_for(const char *what) {
    while (running) {
        lock_serving();
        const bool may_go = settle->phase() == Phase::idle || settle->phase() == Phase::aware;
        if (settle->phase() != Phase::idle && decline_reason.empty()) {
            decline_reason = what;
            settle->give_up(static_cast<std::int64_t>(Decline::passing));
            send_messages();
            notice_end();
        }
        serving.unlock();
        if (may_go) return;
        serve(nullptr);
        sys::yield();
    }
}

void announce_communicator(CommRecord *comm) {
    if (comm->info->foreign) return;
    lock_serving();
    if (settle) {
        settle->add_communicator(comm->info->id, comm->info->everybody(), comm->collectives);
        send_messages();
    }
    serving.unlock();
}

void forget_communicator(CommRecord *comm) {
    if (!comm->info || comm->info->foreign) return;
    lock_serving();
    if (settle) settle->remove_communicator(comm->info->id, comm->collectives);
    serving.unlock();
}

void start_coordinator(int provided) {
    level = provided;
    posted_concurrently = level == MPI_THREAD_MULTIPLE;
    control::open();
    learn_hints();
    settle = std::make_unique<Settle>(static_cast<std::uint32_t>(control::rank()),
                                      static_cast<std::uint32_t>(control::size()));
    running = true;
    announce_communicator(record_of(MPI_COMM_WORLD));
    announce_communicator(record_of(MPI_COMM_SELF));
    hooks.started();
}

void restart_coordinator() {
    control::open();
    learn_hints();
}

void leave_coordinator() {
    MPI_Request barrier = control::begin_last_barrier();
    std::uint64_t opened = control::times_opened();
    wait_until(
        [&] {
            if (opened != control::times_opened()) {  // a restart in between: the barrier begins again
                opened = control::times_opened();
                barrier = control::begin_last_barrier();
            }
            int done = 0;
            lower.Test(&barrier, &done, MPI_STATUS_IGNORE);
            return done != 0;
        },
        [](Peers &) {});
    running = false;
    finished = true;
    if (settle->phase() != Phase::idle) back_to_idle();
    attention.fetch_and(~static_cast<std::uint32_t>(kRequested | kSettling));
    control::close();
}

}  // namespace sckpt::mpi
