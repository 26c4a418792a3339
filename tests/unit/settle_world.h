// The world of the simulation: ranks with their programs and state machines, the network, and the judge.  What
// happens next is decided by a scheduler (settle_sim.cc).  Included by the schedulers only.
#pragma once

#include <algorithm>
#include <unordered_map>

#include "tests/unit/settle_sim.h"

namespace sckpt::settle_sim {

using mpi_coord::Kind;
using mpi_coord::Phase;

template <typename Rules>
class World {
  public:
    explicit World(const Scenario &scenario) : scenario_(scenario), comms_(scenario.comms.size()) {
        const auto size = static_cast<std::uint32_t>(scenario.ranks);
        for (std::uint32_t rank = 0; rank < size; ++rank) {
            ranks_.emplace_back(rank, size, scenario.comms.size());
        }
        for (std::size_t comm = 0; comm < scenario.comms.size(); ++comm) {
            if (!scenario.comms[comm].at_start) continue;
            for (std::uint32_t member : scenario.comms[comm].members) add(member, static_cast<int>(comm));
        }
    }

    Report report;

    int size() const { return scenario_.ranks; }
    Phase phase(int rank) const { return ranks_[rank].machine.phase(); }
    bool inside(int rank) const { return ranks_[rank].inside; }
    bool in_epoch(int rank) const { return phase(rank) == Phase::aware || phase(rank) == Phase::gated; }
    bool finished(int rank) const { return ranks_[rank].pc >= scenario_.programs[rank].size(); }
    bool signal_pending(int rank) const { return ranks_[rank].signal != 0; }
    std::uint32_t requests() const { return requests_; }
    bool all_stopped() const { return stopped_ == size(); }

    // -- Steps: each is called only where its can_... holds ----------------------------------------------------

    // A new request, with the signal to every rank still to be delivered.
    void request(std::uint32_t cause) {
        ++requests_;
        for (Rank &rank : ranks_) rank.signal |= cause;
    }

    void deliver_signal(int r) {
        Rank &rank = ranks_[r];
        observe(r, [&] {
            auto counts = counts_of(r);
            rank.machine.become_aware(requests_, std::exchange(rank.signal, 0), counts);
        });
    }

    std::size_t control_count(int rank) const { return ranks_[rank].control.size(); }
    // The oldest message from the sender of the `index`-th one.
    void deliver_control(int r, std::size_t index) {
        Rank &rank = ranks_[r];
        const std::uint32_t from = rank.control[index].first;
        auto place = std::find_if(rank.control.begin(), rank.control.end(),
                                  [&](const auto &entry) { return entry.first == from; });
        const mpi_coord::Message message = place->second;
        rank.control.erase(place);
        deliver(r, from, message);
    }
    std::vector<std::pair<std::uint32_t, mpi_coord::Message>> take_control(int rank) {
        return std::exchange(ranks_[rank].control, {});
    }
    void put_back_control(int rank, std::vector<std::pair<std::uint32_t, mpi_coord::Message>> messages) {
        auto &control = ranks_[rank].control;
        control.insert(control.begin(), messages.begin(), messages.end());
    }
    void deliver(int r, std::uint32_t from, const mpi_coord::Message &message) {
        Rank &rank = ranks_[r];
        if (message.kind == Kind::raise && !rank.ever_registered[message.communicator - 1]) ++report.unknown_raises;
        if (message.epoch > rank.machine.epoch() && (phase(r) == Phase::gated || phase(r) == Phase::stopped)) {
            ++report.stashed;
        }
        observe(r, [&] { rank.machine.receive(from, message); });
    }

    std::size_t flying_count(int rank) const { return ranks_[rank].flying.size(); }
    void deliver_application(int r, std::size_t index) {
        Rank &rank = ranks_[r];
        ++rank.arrived[rank.flying[index]];
        rank.flying.erase(rank.flying.begin() + static_cast<std::ptrdiff_t>(index));
    }

    bool can_poll(int rank) const { return ranks_[rank].poll_due && !inside(rank) && in_epoch(rank); }
    void poll(int r) {
        observe(r, [&] { ranks_[r].machine.poll(); });
        ranks_[r].poll_due = false;
    }

    // An unsuccessful look at a point-to-point wait, of which the machine has not been told in this epoch.
    bool can_tell_blocked(int r) const {
        const Rank &rank = ranks_[r];
        if (inside(r) || !in_epoch(r) || finished(r) || rank.told_in_epoch == rank.machine.epoch()) return false;
        const Op &op = current(r);
        const bool receives = op.kind == OpKind::receive || op.kind == OpKind::receive_any;
        return (receives || (op.kind == OpKind::synchronous_send && rank.posted)) && !can_step(r);
    }
    void tell_blocked(int r) {
        Rank &rank = ranks_[r];
        rank.told_in_epoch = rank.machine.epoch();
        observe(r, [&] { rank.machine.blocked_on(candidates(current(r))); });
    }

    bool can_give_up(int r) const {
        return in_epoch(r) && !inside(r) && ranks_[r].gave_up_in_epoch != ranks_[r].machine.epoch();
    }
    void give_up(int r) {
        ranks_[r].gave_up_in_epoch = ranks_[r].machine.epoch();
        observe(r, [&] { ranks_[r].machine.give_up(7); });
    }

    bool can_resume(int rank) const { return phase(rank) == Phase::stopped && ranks_[rank].may_resume; }
    void resume(int r) {
        ranks_[r].may_resume = false;
        resuming_ = true;
        observe(r, [&] { ranks_[r].machine.resume(); });
    }

    bool can_step(int r) const {
        const Rank &rank = ranks_[r];
        if (finished(r) || (phase(r) == Phase::stopped && !rank.inside)) return false;
        const Op &op = current(r);
        if (rank.inside) return may_leave(r, op);
        switch (op.kind) {
            case OpKind::blocking:
            case OpKind::early_return:
            case OpKind::initiate:
            case OpKind::create:
            case OpKind::release:
                return rank.machine.may_enter(id_of(op.comm));
            case OpKind::wait:
                return all_entered(op.comm, op.number);
            case OpKind::send:
                return true;
            case OpKind::synchronous_send:
                return !rank.posted || accepted_.contains(op.message);
            case OpKind::receive:
            case OpKind::receive_any: {
                auto place = rank.arrived.find(op.message);
                return place != rank.arrived.end() && place->second > 0;
            }
        }
        return false;
    }

    void step(int r) {
        Rank &rank = ranks_[r];
        const Op &op = current(r);
        if (rank.inside) {
            rank.inside = false;
            if (op.kind == OpKind::create && op.child >= 0) observe(r, [&] { add(r, op.child); });
            next(r);
            return;
        }
        switch (op.kind) {
            case OpKind::blocking:
            case OpKind::early_return:
            case OpKind::create:
                enter(r, op.comm);
                rank.inside = true;
                return;
            case OpKind::initiate:
                enter(r, op.comm);
                break;
            case OpKind::release:
                enter(r, op.comm);
                rank.registered[op.comm] = false;
                rank.machine.remove_communicator(id_of(op.comm), rank.entered[op.comm]);
                break;
            case OpKind::wait:
                if (op.child >= 0) observe(r, [&] { add(r, op.child); });
                break;
            case OpKind::send:
                ranks_[op.peer].flying.push_back(op.message);
                break;
            case OpKind::synchronous_send:
                if (!rank.posted) {
                    rank.posted = true;
                    ranks_[op.peer].flying.push_back(op.message);
                    return;
                }
                rank.posted = false;
                observe(r, [&] { rank.machine.unblocked(); });
                break;
            case OpKind::receive:
                accepted_[op.message] = true;
                [[fallthrough]];
            case OpKind::receive_any:
                --rank.arrived[op.message];
                observe(r, [&] { rank.machine.unblocked(); });
                break;
        }
        next(r);
    }

    // -- The end -----------------------------------------------------------------------------------------------

    void check_end() {
        for (int r = 0; r < size(); ++r) {
            if (ranks_[r].machine.epoch() != requests_) fail("a rank has not seen the last request through", r);
        }
    }
    void fail(const std::string &what, int rank) {
        if (report.error.empty()) report.error = what + ", rank " + std::to_string(rank);
    }
    std::string describe() const {
        std::string text;
        for (int r = 0; r < size(); ++r) {
            const Rank &rank = ranks_[r];
            text += "\n  rank " + std::to_string(r) + ": phase " + std::to_string(static_cast<int>(phase(r))) +
                    " epoch " + std::to_string(rank.machine.epoch()) + (rank.inside ? " inside" : "") +
                    (rank.machine.active() ? " active" : "") + " at op " + std::to_string(rank.pc) + " of " +
                    std::to_string(scenario_.programs[r].size());
            if (!finished(r)) {
                text += " (kind " + std::to_string(static_cast<int>(current(r).kind)) + " comm " +
                        std::to_string(current(r).comm) + ")";
            }
        }
        return text;
    }

  private:
    struct Rank {
        Rank(std::uint32_t rank, std::uint32_t size, std::size_t comms)
            : machine(rank, size), entered(comms), registered(comms), ever_registered(comms) {}
        mpi_coord::BasicSettle<Rules> machine;
        std::size_t pc = 0;
        bool inside = false;
        bool posted = false;
        bool poll_due = false;
        bool may_resume = false;
        std::int64_t sent = 0;  // control messages
        std::uint32_t signal = 0;
        std::uint32_t told_in_epoch = 0;
        std::uint32_t gave_up_in_epoch = 0;
        std::vector<std::int64_t> entered;
        std::vector<char> registered;
        std::vector<char> ever_registered;
        std::vector<std::pair<std::uint32_t, mpi_coord::Message>> control;
        std::vector<int> flying;
        std::unordered_map<int, int> arrived;
    };
    struct Comm {
        std::vector<std::size_t> entered;  // members that have entered the n-th
        std::vector<char> first_inside;    // its first member has
    };

    static mpi_coord::CommunicatorId id_of(int comm) { return static_cast<std::uint64_t>(comm) + 1; }
    const Op &current(int rank) const { return scenario_.programs[rank][ranks_[rank].pc]; }

    void next(int r) {
        ranks_[r].told_in_epoch = 0;
        ranks_[r].poll_due = true;
        ++ranks_[r].pc;
    }

    void add(int r, int comm) {
        ranks_[r].registered[comm] = ranks_[r].ever_registered[comm] = true;
        ranks_[r].machine.add_communicator(id_of(comm), scenario_.comms[comm].members, ranks_[r].entered[comm]);
    }

    std::vector<mpi_coord::Count> counts_of(int r) const {
        std::vector<mpi_coord::Count> counts;
        for (std::size_t comm = 0; comm < comms_.size(); ++comm) {
            if (ranks_[r].registered[comm]) {
                counts.push_back({id_of(static_cast<int>(comm)), ranks_[r].entered[comm]});
            }
        }
        return counts;
    }

    std::vector<std::uint32_t> candidates(const Op &op) const {
        if (op.kind != OpKind::receive_any) return {static_cast<std::uint32_t>(op.peer)};
        if (!scenario_.all_are_candidates) return scenario_.senders.at(op.message);
        std::vector<std::uint32_t> all(static_cast<std::size_t>(size()));
        for (std::uint32_t rank = 0; rank < all.size(); ++rank) all[rank] = rank;
        return all;
    }

    bool all_entered(int comm, std::int64_t number) const {
        const auto &entered = comms_[comm].entered;
        return number < static_cast<std::int64_t>(entered.size()) &&
               entered[number] == scenario_.comms[comm].members.size();
    }
    bool may_leave(int r, const Op &op) const {
        const std::int64_t number = ranks_[r].entered[op.comm];
        if (all_entered(op.comm, number)) return true;
        if (op.kind != OpKind::early_return) return false;
        return static_cast<std::uint32_t>(r) == scenario_.comms[op.comm].members[0] ||
               comms_[op.comm].first_inside[number];
    }

    void enter(int r, int c) {
        Rank &rank = ranks_[r];
        const bool concerns_others = scenario_.comms[c].members.size() > 1;
        if (stopped_ > 0 && !resuming_ && concerns_others) fail("a collective was entered after STOP", r);
        if (phase(r) == Phase::gated) ++report.entered_while_gated;
        const std::int64_t number = ++rank.entered[c];
        observe(r, [&] { rank.machine.entering(id_of(c), number); });
        Comm &comm = comms_[c];
        if (static_cast<std::int64_t>(comm.entered.size()) <= number) {
            comm.entered.resize(number + 1);
            comm.first_inside.resize(number + 1);
        }
        ++comm.entered[number];
        if (static_cast<std::uint32_t>(r) == scenario_.comms[c].members[0]) comm.first_inside[number] = true;
    }

    // Makes the driver's part of the contract good after each call, and watches the phases.
    template <typename Call>
    void observe(int r, Call call) {
        Rank &rank = ranks_[r];
        const Phase before = phase(r);
        const std::uint32_t epoch_before = rank.machine.epoch();
        call();
        while (rank.machine.must_become_aware()) {
            rank.machine.become_aware(rank.machine.pending_epoch(), 0, counts_of(r));
        }
        rank.poll_due = true;
        rank.machine.take_outbox(outbox_);
        for (const auto &[to, message] : outbox_) {
            ++report.messages[static_cast<std::size_t>(message.kind)];
            report.most_sent_by_one = std::max(report.most_sent_by_one, ++rank.sent);
            ranks_[to].control.emplace_back(static_cast<std::uint32_t>(r), message);
        }
        const Phase after = phase(r);
        if (before == Phase::aware && after == Phase::aware && epoch_before != rank.machine.epoch()) ++report.switched;
        if (before != Phase::stopped && after == Phase::stopped) {
            if (++stopped_ == size()) judge_cut();
        }
        if (before == Phase::stopped && after != Phase::stopped && --stopped_ == 0) resuming_ = false;
        if (rank.machine.last_abandoned().epoch == rank.machine.epoch() && after == Phase::idle &&
            before != Phase::stopped && epoch_before != rank.machine.epoch()) {
            ++report.abandoned;
        }
        if (r == 0) report.most_waves = std::max(report.most_waves, static_cast<int>(rank.machine.waves()));
    }

    void judge_cut() {
        ++report.stops;
        bool all_finished = true;
        const auto &first = ranks_[0].machine;
        for (int r = 0; r < size(); ++r) {
            Rank &rank = ranks_[r];
            rank.may_resume = true;
            all_finished = all_finished && finished(r);
            if (rank.inside) fail("a rank is inside a collective at the cut", r);
            if (rank.machine.active()) fail("a rank is active at the cut", r);
            if (rank.machine.epoch() != first.epoch()) fail("a rank stopped in another epoch", r);
            if (rank.machine.cause() != first.cause()) fail("a rank knows other causes than the root", r);
            if (first.last_abandoned().epoch == first.epoch()) fail("an abandoned epoch stopped", r);
            for (const auto &[from, message] : rank.control) {
                if (mpi_coord::settle_detail::counted(message.kind) && message.epoch == first.epoch()) {
                    fail("a counted message is in flight at the cut", r);
                }
            }
        }
        for (std::size_t comm = 0; comm < comms_.size(); ++comm) {
            const auto &members = scenario_.comms[comm].members;
            for (std::uint32_t member : members) {
                if (ranks_[member].entered[comm] != ranks_[members[0]].entered[comm]) {
                    fail("counts differ at the cut", static_cast<int>(member));
                }
            }
        }
        if (!all_finished) ++report.stops_in_mid_program;
    }

    const Scenario &scenario_;
    std::vector<Rank> ranks_;
    std::vector<Comm> comms_;
    std::unordered_map<int, bool> accepted_;
    std::vector<mpi_coord::Outgoing> outbox_;
    std::uint32_t requests_ = 0;
    int stopped_ = 0;
    bool resuming_ = false;  // all had stopped, some have gone on
};

}  // namespace sckpt::settle_sim
