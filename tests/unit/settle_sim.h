// Synthetic ranks that run small message-passing programs over the very state machine of the product, under a
// scheduler that is as unkind as it can be, and a judge that knows what no rank can know.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mpi_coord/settle_impl.h"

namespace sckpt::settle_sim {

enum class OpKind {
    blocking,          // collective that nobody leaves before all have entered
    early_return,      // collective whose first member may leave at once, the others after it
    initiate,          // non-blocking collective
    wait,              // for the `number`-th collective of `comm`, which has made communicator `child` unless -1
    send,              // buffered
    synchronous_send,  // until received
    receive,           // exactly message `message`
    receive_any,       // any message of class `message`, from whomever
    create,            // collective on `comm` that makes communicator `child`; not a member: child = -1
    release,           // frees `comm`: a collective that does not wait
};

struct Op {
    OpKind kind;
    int comm = -1;
    int peer = -1;
    int message = 0;
    int child = -1;
    int number = 0;
};

struct Scenario {
    struct Comm {
        std::vector<std::uint32_t> members;  // sorted
        bool at_start = true;
    };
    int ranks = 0;
    std::vector<Comm> comms;
    std::vector<std::vector<Op>> programs;
    std::map<int, std::vector<std::uint32_t>> senders;  // of a wildcard class, for the candidates
    bool all_are_candidates = false;                    // a wildcard's candidates are all ranks instead

    int requests = 1;
    bool requests_overlap = false;
    bool give_up = false;
};

// Programs in a short notation, one string per rank: B0 blocking and C0 early-returning collective on communicator 0,
// I0 initiate, W0 wait for the last initiated, S2 send to rank 2, R2 receive from it, S2.7 and R2.7 with tag 7,
// Y2 synchronous send.
Scenario parse(const std::vector<std::vector<std::uint32_t>> &comms, const std::vector<std::string_view> &programs);
// The same with rank r in the role of roles[r]'s number.
Scenario permuted(const Scenario &scenario, const std::vector<int> &roles);
// Random: 2 to 9 ranks, overlapping communicators, everything that Op can express.
Scenario random_scenario(std::uint64_t seed);
// Large and regular: world, rows and columns of a grid, a few random thirds; shifts, chains, collectives.
Scenario grid_scenario(int ranks, int steps, std::uint64_t seed);

struct Report {
    std::string error;  // empty: all well
    int stops = 0;
    int stops_in_mid_program = 0;
    int abandoned = 0;
    int unknown_raises = 0;  // announcements that arrived before the communicator was created
    int switched = 0;        // ranks that left a dead epoch for a newer one
    int stashed = 0;         // messages of a newer epoch at a rank that was still gated or stopped
    int entered_while_gated = 0;
    int most_waves = 0;
    std::array<std::int64_t, 11> messages{};  // by Kind
    std::int64_t most_sent_by_one = 0;        // by the rank that has sent most
    // Rounds only:
    int rounds_to_aware = 0;
    int rounds_to_go = 0;
    int rounds_to_stop = 0;
};

// Any enabled step may come next; weights drawn from the seed make some ranks, messages or signals very slow.
template <typename Rules>
Report run_randomly(const Scenario &scenario, std::uint64_t seed);

// Every rank makes one step per round, every message takes one round; the request comes at round `request_at`.
Report run_in_rounds(const Scenario &scenario, int request_at);

using Sound = mpi_coord::SoundRules;
struct GateBeforeGo : Sound {
    static constexpr bool gate_before_go = true;
};
struct NoDemand : Sound {
    static constexpr bool no_demand = true;
};
struct AnnounceLate : Sound {
    static constexpr bool announce_late = true;
};
struct RelayByGlobalTree : Sound {
    static constexpr bool relay_by_global_tree = true;
};
struct GateThoseWhoOwe : Sound {
    static constexpr bool gate_those_who_owe = true;
};
struct NoFirstAnnouncement : Sound {
    static constexpr bool no_first_announcement = true;
};
struct StopAfterFirstWave : Sound {
    static constexpr bool stop_after_first_wave = true;
};
struct StopAfterEqualSums : Sound {
    static constexpr bool stop_after_equal_sums = true;
};
struct DropUnknownRaise : Sound {
    static constexpr bool drop_unknown_raise = true;
};
struct ForgetRemoved : Sound {
    static constexpr bool forget_removed = true;
};
struct AbandonDownTheTree : Sound {
    static constexpr bool abandon_down_the_tree = true;
};
struct LeaveStaleReady : Sound {
    static constexpr bool leave_stale_ready = true;
};

}  // namespace sckpt::settle_sim
