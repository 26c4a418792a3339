// The programs that the synthetic ranks run.  Random ones are made by laying operations down in one global order, so
// every rank's program is a projection of it and no schedule of the program alone can deadlock.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <sstream>
#include <tuple>

#include "tests/unit/settle_sim.h"

namespace sckpt::settle_sim {
namespace {

class Composer {
  public:
    Composer(Scenario &scenario, std::uint64_t seed) : scenario_(scenario), random_(seed) {
        pending_.resize(scenario.ranks);
        scenario.programs.resize(scenario.ranks);
    }

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    bool one_in(unsigned n) { return below(n) == 0; }

    std::vector<std::uint32_t> random_members(std::vector<std::uint32_t> from, std::size_t least) {
        std::shuffle(from.begin(), from.end(), random_);
        const std::size_t most = from.size();
        from.resize(std::min(most, least + below(static_cast<unsigned>(most))));
        std::sort(from.begin(), from.end());
        return from;
    }

    int add_comm(std::vector<std::uint32_t> members, bool at_start) {
        scenario_.comms.push_back({std::move(members), at_start});
        freed_.push_back(false);
        counts_.push_back(0);
        return static_cast<int>(scenario_.comms.size()) - 1;
    }

    bool usable(int comm) const { return !freed_[comm]; }

    void collective(int comm) {
        const int number = ++counts_[comm];
        const unsigned kind = below(3);
        for (std::uint32_t member : scenario_.comms[comm].members) {
            if (kind == 2) {
                append(member, {.kind = OpKind::initiate, .comm = comm});
                pending_[member].push_back({.kind = OpKind::wait, .comm = comm, .number = number});
            } else {
                append(member, {.kind = kind == 0 ? OpKind::blocking : OpKind::early_return, .comm = comm});
            }
        }
    }

    int create(int parent) {
        ++counts_[parent];
        const std::vector<std::uint32_t> parents = scenario_.comms[parent].members;
        const int child = add_comm(random_members(parents, 1), false);
        const auto &members = scenario_.comms[child].members;
        const bool blocking = one_in(2);
        for (std::uint32_t rank : parents) {
            const int own = std::binary_search(members.begin(), members.end(), rank) ? child : -1;
            if (blocking) {
                append(rank, {.kind = OpKind::create, .comm = parent, .child = own});
            } else {
                append(rank, {.kind = OpKind::initiate, .comm = parent});
                append(rank, {.kind = OpKind::wait, .comm = parent, .child = own, .number = counts_[parent]});
            }
        }
        return child;
    }

    void release(int comm) {
        ++counts_[comm];
        freed_[comm] = true;
        for (std::uint32_t member : scenario_.comms[comm].members) {
            append(member, {.kind = OpKind::release, .comm = comm});
        }
    }

    void message(std::uint32_t from, std::uint32_t to, bool synchronous) {
        const int x = ++messages_;
        append(from, {.kind = synchronous ? OpKind::synchronous_send : OpKind::send,
                      .peer = static_cast<int>(to),
                      .message = x});
        auto &receiver = scenario_.programs[to];
        append(to, {.kind = OpKind::receive, .peer = static_cast<int>(from), .message = x});
        // Tags let a receiver take two buffered messages in the other order.
        if (receiver.size() < 2 || synchronous || !one_in(2)) return;
        Op &earlier = receiver[receiver.size() - 2];
        if (earlier.kind != OpKind::receive || earlier.peer != static_cast<int>(from)) return;
        for (const Op &op : scenario_.programs[from]) {
            if (op.kind == OpKind::synchronous_send && op.message == earlier.message) return;
        }
        std::swap(earlier, receiver.back());
    }

    void messages_to_wildcard(std::uint32_t to, const std::vector<std::uint32_t> &from) {
        const int x = ++messages_;
        scenario_.senders[x] = from;
        for (std::uint32_t rank : from) {
            append(rank, {.kind = OpKind::send, .peer = static_cast<int>(to), .message = x});
        }
        for (std::size_t n = 0; n < from.size(); ++n) append(to, {.kind = OpKind::receive_any, .message = x});
    }

    // Everybody sends to the rank `distance` further on, then receives.
    void shift(int distance) {
        const int ranks = scenario_.ranks;
        for (int rank = 0; rank < ranks; ++rank) {
            append(rank, {.kind = OpKind::send, .peer = (rank + distance) % ranks, .message = messages_ + 1 + rank});
        }
        for (int rank = 0; rank < ranks; ++rank) {
            const int from = (rank - distance + ranks) % ranks;
            append(rank, {.kind = OpKind::receive, .peer = from, .message = messages_ + 1 + from});
        }
        messages_ += ranks;
    }

    // Some of the waits for non-blocking collectives, or all.
    void waits(bool all) {
        for (std::size_t rank = 0; rank < pending_.size(); ++rank) {
            std::erase_if(pending_[rank], [&](const Op &wait) {
                if (!all && below(10) >= 3) return false;
                append(rank, wait);
                return true;
            });
        }
    }

  private:
    void append(std::size_t rank, const Op &op) { scenario_.programs[rank].push_back(op); }

    Scenario &scenario_;
    std::mt19937_64 random_;
    std::vector<std::vector<Op>> pending_;
    std::vector<bool> freed_;
    std::vector<int> counts_;
    int messages_ = 0;
};

std::vector<std::uint32_t> everybody(int ranks) {
    std::vector<std::uint32_t> all(ranks);
    std::iota(all.begin(), all.end(), 0u);
    return all;
}

int number_in(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

Scenario parse(const std::vector<std::vector<std::uint32_t>> &comms, const std::vector<std::string_view> &programs) {
    Scenario scenario;
    scenario.ranks = static_cast<int>(programs.size());
    for (const auto &members : comms) scenario.comms.push_back({members, true});
    std::map<std::tuple<int, int, int>, int> classes;     // (from, to, tag) -> base of its messages
    std::map<std::tuple<int, int, int, bool>, int> used;  // of them, by sender and by receiver
    auto message_of = [&](int from, int to, int tag, bool sends) {
        const auto [place, is_new] = classes.try_emplace({from, to, tag}, static_cast<int>(classes.size()) * 1000);
        return place->second + ++used[{from, to, tag, sends}];
    };
    for (int rank = 0; rank < scenario.ranks; ++rank) {
        std::vector<Op> ops;
        std::map<int, int> counts;
        std::istringstream words{std::string(programs[rank])};
        for (std::string word; words >> word;) {
            const std::size_t dot = word.find('.');
            const int which = number_in(std::string_view(word).substr(1));
            const int tag = dot == std::string::npos ? 0 : number_in(std::string_view(word).substr(dot + 1));
            switch (word[0]) {
                case 'B':
                    ops.push_back({.kind = OpKind::blocking, .comm = which}), ++counts[which];
                    break;
                case 'C':
                    ops.push_back({.kind = OpKind::early_return, .comm = which}), ++counts[which];
                    break;
                case 'I':
                    ops.push_back({.kind = OpKind::initiate, .comm = which}), ++counts[which];
                    break;
                case 'W':
                    ops.push_back({.kind = OpKind::wait, .comm = which, .number = counts[which]});
                    break;
                case 'S':
                case 'Y':
                    ops.push_back({.kind = word[0] == 'S' ? OpKind::send : OpKind::synchronous_send,
                                   .peer = which,
                                   .message = message_of(rank, which, tag, true)});
                    break;
                case 'R':
                    ops.push_back(
                        {.kind = OpKind::receive, .peer = which, .message = message_of(which, rank, tag, false)});
                    break;
            }
        }
        scenario.programs.push_back(std::move(ops));
    }
    return scenario;
}

Scenario permuted(const Scenario &scenario, const std::vector<int> &roles) {
    Scenario result = scenario;
    for (auto &comm : result.comms) {
        for (std::uint32_t &member : comm.members) member = static_cast<std::uint32_t>(roles[member]);
        std::sort(comm.members.begin(), comm.members.end());
    }
    for (int rank = 0; rank < scenario.ranks; ++rank) {
        auto &program = result.programs[roles[rank]];
        program = scenario.programs[rank];
        for (Op &op : program) {
            if (op.peer >= 0) op.peer = roles[op.peer];
        }
    }
    return result;
}

Scenario random_scenario(std::uint64_t seed) {
    Scenario scenario;
    scenario.ranks = 2 + static_cast<int>(std::mt19937_64(seed ^ 0x5e771e)() % 8);
    Composer composer(scenario, seed);
    const std::vector<std::uint32_t> all = everybody(scenario.ranks);
    if (composer.one_in(2)) composer.add_comm(all, true);
    for (unsigned n = 1 + composer.below(4); n > 0; --n) composer.add_comm(composer.random_members(all, 2), true);

    const unsigned messages_in_ten = 2 + composer.below(6);
    const bool wildcards = composer.one_in(3);
    const bool synchronous = composer.one_in(2);
    const bool creates = composer.one_in(2);
    scenario.all_are_candidates = composer.one_in(2);
    scenario.requests = 1 + static_cast<int>(composer.below(4));
    scenario.requests_overlap = composer.one_in(3);
    scenario.give_up = composer.one_in(4);
    for (unsigned n = 4 + composer.below(60); n > 0; --n) {
        if (composer.below(10) < messages_in_ten) {
            const std::uint32_t to = composer.below(scenario.ranks);
            if (wildcards && composer.one_in(3)) {
                std::vector<std::uint32_t> from;
                std::copy_if(all.begin(), all.end(), std::back_inserter(from),
                             [&](std::uint32_t rank) { return rank != to && composer.one_in(2); });
                if (!from.empty()) composer.messages_to_wildcard(to, from);
            } else {
                const std::uint32_t from = (to + 1 + composer.below(scenario.ranks - 1)) % scenario.ranks;
                composer.message(from, to, synchronous && composer.one_in(2));
            }
        } else {
            const int comm = static_cast<int>(composer.below(static_cast<unsigned>(scenario.comms.size())));
            if (!composer.usable(comm)) continue;
            if (creates && composer.one_in(4)) {
                const int child = composer.create(comm);
                if (composer.one_in(2)) composer.collective(child);
            } else if (creates && composer.one_in(8)) {
                composer.release(comm);
            } else {
                composer.collective(comm);
            }
        }
        composer.waits(false);
    }
    composer.waits(true);
    return scenario;
}

Scenario grid_scenario(int ranks, int steps, std::uint64_t seed) {
    Scenario scenario;
    scenario.ranks = ranks;
    Composer composer(scenario, seed);
    const std::vector<std::uint32_t> all = everybody(ranks);
    const int side = std::max(2, static_cast<int>(std::sqrt(ranks)));
    const int world = composer.add_comm(all, true);
    std::vector<int> rows, columns, others;
    for (int start = 0; start < ranks; start += side) {
        rows.push_back(composer.add_comm({all.begin() + start, all.begin() + std::min(ranks, start + side)}, true));
    }
    for (int start = 0; start < std::min(side, ranks); ++start) {
        std::vector<std::uint32_t> members;
        for (int rank = start; rank < ranks; rank += side) members.push_back(static_cast<std::uint32_t>(rank));
        columns.push_back(composer.add_comm(std::move(members), true));
    }
    for (int n = 0; n < 4; ++n) {
        auto members = composer.random_members(all, 2);
        members.resize(std::max<std::size_t>(2, members.size() / 3));
        others.push_back(composer.add_comm(std::move(members), true));
    }
    for (int step = 0; step < steps; ++step) {
        const unsigned dice = composer.below(100);
        if (dice < 10) {
            composer.collective(world);
        } else if (dice < 30) {
            for (int row : rows) composer.collective(row);
        } else if (dice < 50) {
            for (int column : columns) composer.collective(column);
        } else if (dice < 65) {
            composer.collective(others[composer.below(4)]);
        } else if (ranks > 1) {
            composer.shift(1 + static_cast<int>(composer.below(static_cast<unsigned>(ranks - 1))));
        }
        composer.waits(false);
    }
    composer.waits(true);
    return scenario;
}

}  // namespace sckpt::settle_sim
