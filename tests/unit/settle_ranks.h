// A handful of SETTLE machines whose messages a test delivers by hand.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "mpi_coord/settle.h"

namespace sckpt::mpi_coord {

inline constexpr CommunicatorId kWorld = 1;
inline constexpr CommunicatorId kOther = 2;

// Ranks that are always outside, and a network whose channels can be held up.
class Ranks {
  public:
    explicit Ranks(std::uint32_t size) {
        for (std::uint32_t rank = 0; rank < size; ++rank) machines_.emplace_back(rank, size);
    }

    Settle &operator[](std::uint32_t rank) { return machines_[rank]; }

    void add(CommunicatorId id, std::vector<std::uint32_t> members) {
        for (std::uint32_t member : members) {
            machines_[member].add_communicator(id, members, 0);
            counts_[{member, id}] = 0;
        }
    }
    void enter(std::uint32_t rank, CommunicatorId id) {
        machines_[rank].entering(id, ++counts_[{rank, id}]);
        collect(rank);
    }
    void aware(std::uint32_t rank, std::uint32_t epoch = 1, std::uint32_t cause = 0) {
        machines_[rank].become_aware(epoch, cause, counts_of(rank));
        collect(rank);
    }
    void blocked(std::uint32_t rank, std::vector<std::uint32_t> peers) {
        machines_[rank].blocked_on(peers);
        machines_[rank].poll();
        collect(rank);
    }
    void collect(std::uint32_t rank) {
        std::vector<Outgoing> out;
        machines_[rank].take_outbox(out);
        for (const Outgoing &outgoing : out) {
            channels_[{rank, outgoing.to}].push_back(outgoing.message);
            ++sent[outgoing.message.kind];
        }
    }

    std::optional<Message> oldest(std::uint32_t from, std::uint32_t to) {
        auto &channel = channels_[{from, to}];
        return channel.empty() ? std::nullopt : std::optional(channel.front());
    }
    bool deliver(std::uint32_t from, std::uint32_t to) {
        auto &channel = channels_[{from, to}];
        if (channel.empty()) return false;
        const Message message = channel.front();
        channel.pop_front();
        if (machines_[to].receive(from, message)) {
            machines_[to].become_aware(machines_[to].pending_epoch(), 0, counts_of(to));
        }
        collect(to);
        return true;
    }
    // Until nothing moves: all messages, and all polls.  False if that does not come.
    bool run() {
        for (int passes = 0; passes < 200; ++passes) {
            bool moved = false;
            for (std::uint32_t from = 0; from < machines_.size(); ++from) {
                for (std::uint32_t to = 0; to < machines_.size(); ++to) {
                    while (deliver(from, to)) moved = true;
                }
            }
            for (std::uint32_t rank = 0; rank < machines_.size(); ++rank) {
                machines_[rank].poll();
                moved = moved || !machines_[rank].outbox_empty();
                collect(rank);
            }
            if (!moved) return true;
        }
        return false;
    }
    bool all(Phase phase) const {
        for (const Settle &machine : machines_) {
            if (machine.phase() != phase) return false;
        }
        return true;
    }

    std::map<Kind, int> sent;

  private:
    std::vector<Count> counts_of(std::uint32_t rank) const {
        std::vector<Count> counts;
        for (const auto &[key, count] : counts_) {
            if (key.first == rank) counts.push_back({key.second, count});
        }
        return counts;
    }
    std::deque<Settle> machines_;
    std::map<std::pair<std::uint32_t, CommunicatorId>, std::int64_t> counts_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::deque<Message>> channels_;
};

}  // namespace sckpt::mpi_coord
