// How a rank gets into an epoch of SETTLE and out of it again.  Second part of settle_impl.h, which includes it.
#pragma once

#include <algorithm>
#include <utility>

#include "mpi_coord/settle.h"
#include "mpi_coord/tree.h"

namespace sckpt::mpi_coord {

template <typename Rules>
std::uint32_t BasicSettle<Rules>::pending_epoch() const {
    if (phase_ == Phase::gated || phase_ == Phase::stopped) return 0;
    std::uint32_t newest = phase_ == Phase::idle ? requested_ : 0;
    for (const Stashed &stashed : stash_) newest = std::max(newest, stashed.message.epoch);
    return newest;
}

// A rank that is not yet ready for its epoch kills it by leaving for a newer one: GO cannot come without it.  A rank
// that is ready must not leave by itself (GO may be out), but does so when a message of a newer epoch shows that
// somebody has killed it, or that it was abandoned.
template <typename Rules>
bool BasicSettle<Rules>::become_aware(std::uint32_t epoch, std::uint32_t cause, std::span<const Count> counts) {
    if (epoch < epoch_ || (epoch == epoch_ && phase_ == Phase::idle)) return false;
    if (epoch == epoch_) {
        (phase_ == Phase::stopped ? late_cause_ : cause_) |= cause;
        return true;
    }
    const bool can_join = phase_ == Phase::idle || (phase_ == Phase::aware && (!ready_sent_ || pending_epoch() != 0));
    if (!can_join) {
        requested_ = std::max(requested_, epoch);
        requested_cause_ |= cause;
        return false;
    }
    start(std::max(epoch, pending_epoch()), cause, counts);
    return true;
}

template <typename Rules>
void BasicSettle<Rules>::start(std::uint32_t epoch, std::uint32_t cause, std::span<const Count> counts) {
    const bool leaves_dead_epoch = phase_ == Phase::aware;
    reset(false);
    epoch_ = epoch;
    phase_ = Phase::aware;
    cause_ = cause;
    late_cause_ = 0;
    if (requested_ != 0 && requested_ <= epoch) {
        cause_ |= std::exchange(requested_cause_, 0);
        requested_ = 0;
    }

    for (const Count &count : counts) {
        Communicator &communicator = find_or_make(count.communicator);
        communicator.entered = std::max(communicator.entered, count.entered);
    }
    const std::size_t first = outbox_.size();
    for (auto &[id, communicator] : communicators_) {
        communicator.latest = communicator.entered;
        if (!Rules::no_first_announcement) announce(id, communicator);
    }
    // Grouped by destination, so that a driver can put each neighbour's announcements into one message.
    std::sort(outbox_.begin() + static_cast<std::ptrdiff_t>(first), outbox_.end(),
              [](const Outgoing &one, const Outgoing &other) {
                  return std::pair(one.to, one.message.communicator) < std::pair(other.to, other.message.communicator);
              });
    if (leaves_dead_epoch) send_to_children(Kind::wake);

    for (const auto &[from, message] : std::exchange(stash_, {})) {
        if (message.epoch > epoch_) {
            stash_.push_back({from, message});
        } else if (message.epoch == epoch_) {
            handle(from, message);
        } else {
            drop_stale(from, message);
        }
    }
    send_ready_when_complete();
}

// `agreed`: the epoch ended in a cut, so all members of a freed communicator have freed it and it can be forgotten.
template <typename Rules>
void BasicSettle<Rules>::reset(bool agreed) {
    std::erase_if(communicators_, [&](const auto &entry) {
        const Communicator &communicator = entry.second;
        return communicator.registered ? communicator.removed && agreed : communicator.entered == 0;
    });
    for (auto &[id, communicator] : communicators_) {
        communicator.latest = 0;
        if (!communicator.registered && !Rules::relay_by_global_tree) communicator.neighbours.clear();
        for (Neighbour &neighbour : communicator.neighbours) neighbour.known = 0;
    }
    owing_ = 0;
    demanders_.clear();
    inside_.clear();
    held_.clear();
    obliged_ = false;
    blocked_.clear();
    demanded_.clear();
    demands_changed_ = demands_sent_as_active_ = false;
    sent_ = received_ = 0;
    ready_children_ = 0;
    ready_sent_ = wave_open_ = false;
    replies_missing_ = 0;
    sum_sent_ = sum_received_ = 0;
    previous_received_ = -1;
    waves_ = 0;
}

template <typename Rules>
void BasicSettle<Rules>::resume() {
    if (phase_ != Phase::stopped) return;
    reset(true);
    phase_ = Phase::idle;
    clear_stash_after_end();
}

template <typename Rules>
void BasicSettle<Rules>::leave(const Abandoned &why) {
    reset(false);
    phase_ = Phase::idle;
    epoch_ = why.epoch;
    abandoned_ = why;
    if (Rules::abandon_down_the_tree && rank_ != 0) send_to_children(Kind::abandon, why.rank, why.reason);
    clear_stash_after_end();
}

// At the root.  Not down the tree: a relay may be deaf inside a collective that waits for a rank at its gate, and those
// who have left the epoch relay no announcements that would open it.  Sent straight, it reaches all who are outside.
template <typename Rules>
void BasicSettle<Rules>::abandon(std::uint32_t rank, std::int64_t reason) {
    for (std::uint32_t other = 1; other < size_; ++other) {
        if (Rules::abandon_down_the_tree && tree::parent(other) != rank_) continue;
        send(other, Kind::abandon, 0, rank, reason);
    }
    leave({epoch_, rank, reason});
}

// A newer epoch may have begun and been abandoned while we were still in the old one.
template <typename Rules>
void BasicSettle<Rules>::clear_stash_after_end() {
    Abandoned newest;
    for (const auto &[from, message] : stash_) {
        if (message.kind == Kind::abandon && message.epoch > std::max(epoch_, newest.epoch)) {
            newest = {message.epoch, static_cast<std::uint32_t>(message.a), message.b};
        }
    }
    if (newest.epoch != 0) {
        epoch_ = newest.epoch;
        abandoned_ = newest;
    }
    std::erase_if(stash_, [&](const Stashed &stashed) { return stashed.message.epoch <= epoch_; });
    if (requested_ <= epoch_) requested_ = requested_cause_ = 0;
}

// A child that is ready for an epoch which we have left, or never joined, would wait for its GO for ever.
template <typename Rules>
void BasicSettle<Rules>::drop_stale(std::uint32_t from, const Message &message) {
    if (message.kind == Kind::ready && phase_ == Phase::aware && !Rules::leave_stale_ready) send(from, Kind::wake);
}

template <typename Rules>
void BasicSettle<Rules>::give_up(std::int64_t reason) {
    if (phase_ == Phase::idle || phase_ == Phase::stopped) return;
    if (rank_ == 0) {
        abandon(rank_, reason);
    } else {
        send(tree::parent(rank_), Kind::give_up, 0, rank_, reason);
    }
}

}  // namespace sckpt::mpi_coord
