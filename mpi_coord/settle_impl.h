// The rules of SETTLE.  A header, so that the unit tests can instantiate it with a rule switched off; everybody else
// includes settle.h.
//
// "Outside" is not in a blocking lower-level collective; a rank inside is deaf: it neither hears nor relays.  A rank
// is active when it owes (its count on some communicator is below the largest it has heard of) or somebody's demand
// on it is in force, else passive.
//  R1  Aware by a request or by any message of the epoch, when outside: announce (RAISE) all own counts.
//  R2  READY goes up the global tree when the own subtree is aware.
//  R3  GO comes down from the root: gates close, the first wave begins.
//  R4  At a collective: idle, just enter; aware, announce and enter; gated, the same if active, else wait at the gate.
//      The announcement goes out BEFORE the rank goes deaf.
//  R5  An announcement that is news is passed on in the overlay, a small tree of the communicator's own members.
//  R6  An active rank that waits in point-to-point demands of those it waits for; withdrawn by RELEASE.
//  R7  A demand makes active while it is in force; one made to the holders of a lock, while the lock is held.
//  R8  Waits serve control messages (the driver's part).
//  R9  WAVE comes down the global tree.
//  R10 REPLY goes up when outside, gated and passive, with the sums of counted messages sent and received.  The root
//      stops when two consecutive waves agree.
//  R11 STOP comes down; then nobody is inside, and all members' counts of every communicator are equal.
//  R12 One-sided communication: who waits inside a call for a lock, or for a rank to open its side of an epoch, is deaf
//      there: it is active, and has demanded before.  Who has begun what only a later call of its own can end is
//      active until then; if that call is a fence, all members owe it.  A passive rank of the gated phase begins none
//      of this: it waits at the gate.  That demands for a lock bind its holders alone lets ranks that compete for one
//      in a loop come to rest: who has given it back is held at the gate of the next one.
// Opening a gate is always safe, so what R6 opens needlessly costs time and nothing else.  Nothing is timed.
//
// Beyond these rules:
//  - An announcement is sent over an edge only if it is larger than all that went over it: the neighbour who told us
//    knows already.  Same fixpoint, fewer messages.
//  - A demand is withdrawn also when the rank that made it turns passive, and is not made to somebody whose own
//    demand for us is in force (of two that cross, the higher rank's is withdrawn): else a server in a wildcard
//    receive and an idle client would keep each other active for ever.  A demander is active, so what the demand
//    would bring about holds already; when that ends its release comes, and we demand then.
//  - An epoch can be abandoned: see abandon().
//  - Requests may overlap: see become_aware() and drop_stale().
#pragma once

#include <algorithm>
#include <iterator>
#include <utility>

#include "mpi_coord/settle.h"
#include "mpi_coord/tree.h"

namespace sckpt::mpi_coord {

namespace settle_detail {

inline bool contains(const std::vector<std::uint32_t> &sorted, std::uint32_t rank) {
    return std::binary_search(sorted.begin(), sorted.end(), rank);
}

inline bool counted(Kind kind) { return kind == Kind::raise || kind == Kind::demand || kind == Kind::release; }

}  // namespace settle_detail

// -- Communicators ---------------------------------------------------------------------------------------------

template <typename Rules>
bool BasicSettle<Rules>::owes(const Communicator &communicator) {
    if (Rules::relay_by_global_tree && !communicator.registered) return false;
    return communicator.latest > communicator.entered;
}

template <typename Rules>
template <typename Change>
void BasicSettle<Rules>::change(Communicator &communicator, Change apply) {
    owing_ -= owes(communicator) ? 1 : 0;
    apply();
    owing_ += owes(communicator) ? 1 : 0;
}

template <typename Rules>
auto BasicSettle<Rules>::find_or_make(CommunicatorId id) -> Communicator & {
    auto [place, is_new] = communicators_.try_emplace(id);
    if (Rules::relay_by_global_tree && is_new) {
        auto add = [&](std::uint32_t rank) { place->second.neighbours.push_back({rank, 0}); };
        if (rank_ != 0) add(tree::parent(rank_));
        tree::for_each_child(rank_, size_, add);
    }
    return place->second;
}

template <typename Rules>
void BasicSettle<Rules>::add_communicator(CommunicatorId id, std::span<const std::uint32_t> members,
                                          std::int64_t count) {
    Communicator &communicator = find_or_make(id);
    const bool in_epoch = phase_ == Phase::aware || phase_ == Phase::gated;
    change(communicator, [&] {
        communicator.registered = true;
        communicator.removed = false;
        communicator.members = static_cast<std::uint32_t>(members.size());
        communicator.entered = std::max(communicator.entered, count);
        if (in_epoch) communicator.latest = std::max(communicator.latest, communicator.entered);
    });
    if (!Rules::relay_by_global_tree) {
        const auto own = std::lower_bound(members.begin(), members.end(), rank_) - members.begin();
        const std::vector<Neighbour> announced = std::exchange(communicator.neighbours, {});
        for (std::uint32_t position : tree::overlay_neighbours(static_cast<std::uint32_t>(own), communicator.members)) {
            Neighbour neighbour{members[position], 0};
            for (const Neighbour &earlier : announced) {
                if (earlier.rank == neighbour.rank) neighbour.known = std::max(neighbour.known, earlier.known);
            }
            communicator.neighbours.push_back(neighbour);
        }
    }
    if (in_epoch) announce(id, communicator);
}

template <typename Rules>
void BasicSettle<Rules>::remove_communicator(CommunicatorId id, std::int64_t count) {
    auto place = communicators_.find(id);
    if (place == communicators_.end()) return;
    Communicator &communicator = place->second;
    if (communicator.members <= 1 || Rules::forget_removed) {
        owing_ -= owes(communicator) ? 1 : 0;
        communicators_.erase(place);
        return;
    }
    communicator.removed = true;
    change(communicator, [&] { communicator.entered = std::max(communicator.entered, count); });
}

// R5, the sending half.  The sender of what we have just learned is skipped because its edge has carried it.
template <typename Rules>
void BasicSettle<Rules>::announce(CommunicatorId id, Communicator &communicator) {
    if (!communicator.registered && !Rules::relay_by_global_tree) return;
    for (Neighbour &neighbour : communicator.neighbours) {
        if (neighbour.known >= communicator.latest) continue;
        neighbour.known = communicator.latest;
        send(neighbour.rank, Kind::raise, id, communicator.latest);
    }
}

// -- Messages --------------------------------------------------------------------------------------------------

template <typename Rules>
void BasicSettle<Rules>::send(std::uint32_t to, Kind kind, CommunicatorId communicator, std::int64_t a,
                              std::int64_t b) {
    const bool counted = settle_detail::counted(kind);
    if (counted) ++sent_;
    outbox_.push_back({to, {kind, epoch_, counted ? 0 : cause_, communicator, a, b}});
}

template <typename Rules>
void BasicSettle<Rules>::send_to_children(Kind kind, std::int64_t a, std::int64_t b) {
    tree::for_each_child(rank_, size_, [&](std::uint32_t child) { send(child, kind, 0, a, b); });
}

template <typename Rules>
bool BasicSettle<Rules>::receive(std::uint32_t from, const Message &message) {
    if (message.epoch < epoch_ || (message.epoch == epoch_ && phase_ == Phase::idle)) {
        drop_stale(from, message);
    } else if (message.epoch == epoch_) {
        handle(from, message);
    } else if (message.kind == Kind::abandon && (phase_ == Phase::idle || phase_ == Phase::aware)) {
        leave({message.epoch, static_cast<std::uint32_t>(message.a), message.b});
    } else {
        stash_.push_back({from, message});
    }
    return must_become_aware();
}

template <typename Rules>
void BasicSettle<Rules>::handle(std::uint32_t from, const Message &message) {
    if (phase_ == Phase::stopped || phase_ == Phase::idle) return;
    if (!settle_detail::counted(message.kind) && message.kind != Kind::stop) cause_ |= message.cause;
    switch (message.kind) {
        case Kind::ready:
            ++ready_children_;
            send_ready_when_complete();
            break;
        case Kind::go:  // R3
            phase_ = Phase::gated;
            send_to_children(Kind::go);
            open_wave();
            break;
        case Kind::wave:  // R9
            send_to_children(Kind::wave);
            open_wave();
            break;
        case Kind::reply:
            sum_sent_ += message.a;
            sum_received_ += message.b;
            --replies_missing_;
            break;
        case Kind::stop:
            late_cause_ |= cause_ & ~message.cause;
            cause_ = message.cause;
            stop();
            break;
        case Kind::raise:
            handle_raise(from, message);
            break;
        case Kind::demand:  // R7
            ++received_;
            demanders_.push_back({from, message.communicator, message.a != 0});
            demands_changed_ = true;
            break;
        case Kind::release:
            ++received_;
            std::erase_if(demanders_, [&](const Demander &demander) {
                return demander.rank == from && demander.id == message.communicator;
            });
            demands_changed_ = true;
            break;
        case Kind::give_up:
            if (rank_ == 0) {
                abandon(static_cast<std::uint32_t>(message.a), message.b);
            } else {
                send(tree::parent(rank_), Kind::give_up, 0, message.a, message.b);
            }
            break;
        case Kind::abandon:
            leave({epoch_, static_cast<std::uint32_t>(message.a), message.b});
            break;
        case Kind::wake:
            break;
    }
}

// R5.  Of a communicator that we do not know yet we are a member all the same: it is owed, which opens the gates on
// the way to the end of its creation.
template <typename Rules>
void BasicSettle<Rules>::handle_raise(std::uint32_t from, const Message &message) {
    ++received_;
    if (Rules::drop_unknown_raise && !communicators_.contains(message.communicator)) return;
    Communicator &communicator = find_or_make(message.communicator);
    auto edge = std::find_if(communicator.neighbours.begin(), communicator.neighbours.end(),
                             [&](const Neighbour &neighbour) { return neighbour.rank == from; });
    if (edge != communicator.neighbours.end()) {
        edge->known = std::max(edge->known, message.a);
    } else if (!communicator.registered) {
        communicator.neighbours.push_back({from, message.a});
    }
    if (message.a <= communicator.latest) return;
    change(communicator, [&] { communicator.latest = message.a; });
    announce(message.communicator, communicator);
}

// -- Readiness, waves and the end ------------------------------------------------------------------------------

template <typename Rules>
void BasicSettle<Rules>::send_ready_when_complete() {
    if (phase_ != Phase::aware || ready_sent_ || ready_children_ < tree::child_count(rank_, size_)) return;
    ready_sent_ = true;
    if (rank_ != 0) {
        send(tree::parent(rank_), Kind::ready);
        return;
    }
    phase_ = Phase::gated;
    send_to_children(Kind::go);
    open_wave();
}

template <typename Rules>
void BasicSettle<Rules>::open_wave() {
    wave_open_ = true;
    replies_missing_ = tree::child_count(rank_, size_);
    sum_sent_ = sum_received_ = 0;
}

// R10.  The root stops when all that had been sent up to this wave had been received up to the one before: then no
// counted message was in flight between the two, and nobody was active.
template <typename Rules>
void BasicSettle<Rules>::answer_wave() {
    wave_open_ = false;
    const std::int64_t sent = sum_sent_ + sent_;
    const std::int64_t received = sum_received_ + received_;
    if (rank_ != 0) {
        send(tree::parent(rank_), Kind::reply, 0, sent, received);
        return;
    }
    ++waves_;
    bool agreed = previous_received_ == sent;
    if (Rules::stop_after_first_wave) agreed = true;
    if (Rules::stop_after_equal_sums) agreed = sent == received;
    if (agreed) {
        stop();
        return;
    }
    previous_received_ = received;
    send_to_children(Kind::wave);
    open_wave();
}

template <typename Rules>
void BasicSettle<Rules>::stop() {
    send_to_children(Kind::stop);
    phase_ = Phase::stopped;
}

// -- The rank --------------------------------------------------------------------------------------------------

// R4.  A communicator of one member concerns nobody: only the cut itself holds it.
template <typename Rules>
bool BasicSettle<Rules>::is_due(CommunicatorId id) const {
    const auto place = communicators_.find(id);
    return place != communicators_.end() && (owes(place->second) || place->second.members == 1);
}

template <typename Rules>
bool BasicSettle<Rules>::may_enter(CommunicatorId id) const {
    if (phase_ == Phase::stopped) return false;
    if (phase_ == Phase::idle || (phase_ == Phase::aware && !Rules::gate_before_go)) return true;
    const auto place = communicators_.find(id);
    if (Rules::gate_those_who_owe) return place != communicators_.end() && owes(place->second);
    return active() || (place != communicators_.end() && place->second.members == 1);
}

template <typename Rules>
void BasicSettle<Rules>::entering(CommunicatorId id, std::int64_t seq) {
    if (phase_ != Phase::aware && phase_ != Phase::gated) return;
    Communicator &communicator = find_or_make(id);
    change(communicator, [&] {
        communicator.entered = std::max(communicator.entered, seq);
        communicator.latest = std::max(communicator.latest, seq);
    });
    if (!Rules::announce_late) announce(id, communicator);
}

template <typename Rules>
void BasicSettle<Rules>::blocked_on(std::span<const std::uint32_t> peers) {
    if (phase_ != Phase::aware && phase_ != Phase::gated) return;
    std::vector<std::uint32_t> now(peers.begin(), peers.end());
    std::sort(now.begin(), now.end());
    now.erase(std::unique(now.begin(), now.end()), now.end());
    std::erase(now, rank_);
    if (now == blocked_) return;
    blocked_ = std::move(now);
    demands_changed_ = true;
}

// The releases go out at once: the rank may be deaf when poll() would be due.
template <typename Rules>
void BasicSettle<Rules>::unblocked() {
    blocked_.clear();
    for (std::uint32_t peer : demanded_) send(peer, Kind::release);
    demanded_.clear();
}

template <typename Rules>
void BasicSettle<Rules>::poll(bool outside) {
    if (phase_ != Phase::aware && phase_ != Phase::gated) return;
    if (Rules::announce_late) {
        for (auto &[id, communicator] : communicators_) announce(id, communicator);
    }
    update_demands();
    while (outside && phase_ == Phase::gated && wave_open_ && replies_missing_ == 0 && !active()) answer_wave();
}

// R6.  Done before a wave is answered, so that a passive rank has no demand outstanding.
template <typename Rules>
void BasicSettle<Rules>::update_demands() {
    if (Rules::no_demand || (!demands_changed_ && demands_sent_as_active_ == active())) return;
    demands_changed_ = false;
    demands_sent_as_active_ = active();

    std::vector<std::uint32_t> wanted;
    if (active()) {
        std::copy_if(blocked_.begin(), blocked_.end(), std::back_inserter(wanted), [&](std::uint32_t peer) {
            return !demanded_by(peer) || (rank_ < peer && settle_detail::contains(demanded_, peer));
        });
    }
    for (std::uint32_t peer : demanded_) {
        if (!settle_detail::contains(wanted, peer)) send(peer, Kind::release);
    }
    for (std::uint32_t peer : wanted) {
        if (!settle_detail::contains(demanded_, peer)) send(peer, Kind::demand);
    }
    demanded_ = std::move(wanted);
}

// -- One-sided communication: R12 --------------------------------------------------------------------------------

template <typename Rules>
bool BasicSettle<Rules>::bound() const {
    return std::any_of(demanders_.begin(), demanders_.end(), [&](const Demander &demander) {
        return !demander.holders || std::find(held_.begin(), held_.end(), demander.id) != held_.end();
    });
}

template <typename Rules>
bool BasicSettle<Rules>::demanded_by(std::uint32_t peer) const {
    return std::any_of(demanders_.begin(), demanders_.end(),
                       [&](const Demander &demander) { return demander.rank == peer && !demander.holders; });
}

template <typename Rules>
void BasicSettle<Rules>::waits_inside(CommunicatorId id, bool holders, std::span<const std::uint32_t> peers) {
    if (phase_ != Phase::aware && phase_ != Phase::gated) return;
    for (const Inside &inside : inside_)
        if (inside.id == id) return;
    inside_.push_back({id, {peers.begin(), peers.end()}});
    std::erase(inside_.back().peers, rank_);
    for (std::uint32_t peer : inside_.back().peers) send(peer, Kind::demand, id, holders ? 1 : 0);
}

template <typename Rules>
void BasicSettle<Rules>::comes_out(CommunicatorId id) {
    std::erase_if(inside_, [&](const Inside &inside) {
        if (inside.id != id) return false;
        for (std::uint32_t peer : inside.peers) send(peer, Kind::release, id);
        return true;
    });
}

template <typename Rules>
void BasicSettle<Rules>::holds(CommunicatorId id, bool held) {
    const bool known = std::find(held_.begin(), held_.end(), id) != held_.end();
    if (held && !known) held_.push_back(id);
    if (!held && known) std::erase(held_, id);
}

template <typename Rules>
void BasicSettle<Rules>::will_enter(CommunicatorId id, std::int64_t seq) {
    if (phase_ != Phase::aware && phase_ != Phase::gated) return;
    Communicator &communicator = find_or_make(id);
    if (communicator.latest >= seq) return;
    change(communicator, [&] { communicator.latest = seq; });
    announce(id, communicator);
}

}  // namespace sckpt::mpi_coord

#include "mpi_coord/settle_epochs_impl.h"  // IWYU pragma: export
