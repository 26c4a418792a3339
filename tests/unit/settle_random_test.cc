// SETTLE under random programs and random adversarial schedules.  Each seed is one program and one schedule.
//   SCKPT_SETTLE_SEEDS=first:last  runs other seeds than the default (last excluded).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/unit/settle_sim.h"

namespace sckpt::settle_sim {
namespace {

constexpr std::uint64_t kDefaultSeeds = 40'000;
constexpr std::chrono::seconds kMostTime{12};

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = kDefaultSeeds;
};

Range chosen_seeds() {
    const char *text = std::getenv("SCKPT_SETTLE_SEEDS");
    if (text == nullptr) return {};
    char *rest = nullptr;
    Range range;
    range.first = std::strtoull(text, &rest, 10);
    range.last = *rest == ':' ? std::strtoull(rest + 1, nullptr, 10) : range.first + 1;
    return range;
}

TEST(SettleRandom, EveryScheduleEndsInAConsistentCut) {
    const Range seeds = chosen_seeds();
    const bool by_default = std::getenv("SCKPT_SETTLE_SEEDS") == nullptr;
    const auto start = std::chrono::steady_clock::now();
    Report sum;
    std::uint64_t runs = 0;
    for (std::uint64_t seed = seeds.first; seed < seeds.last; ++seed, ++runs) {
        // On a loaded machine fewer seeds are run, and the output says how many.
        if (by_default && runs >= 1000 && std::chrono::steady_clock::now() - start > kMostTime) break;
        const Report report = run_randomly<Sound>(random_scenario(seed), seed);
        ASSERT_EQ(report.error, "") << "seed " << seed << "; again: SCKPT_SETTLE_SEEDS=" << seed << ':' << seed + 1
                                    << " build/unit/settle_random_test";
        sum.stops += report.stops;
        sum.stops_in_mid_program += report.stops_in_mid_program;
        sum.abandoned += report.abandoned;
        sum.unknown_raises += report.unknown_raises;
        sum.switched += report.switched;
        sum.stashed += report.stashed;
        sum.entered_while_gated += report.entered_while_gated;
        sum.most_waves = std::max(sum.most_waves, report.most_waves);
        for (std::size_t kind = 0; kind < sum.messages.size(); ++kind) sum.messages[kind] += report.messages[kind];
    }
    std::cout << runs << " runs, " << sum.stops << " cuts (" << sum.stops_in_mid_program << " in mid-program), "
              << sum.abandoned << " ranks left abandoned epochs, " << sum.switched << " dead ones, " << sum.stashed
              << " early messages, " << sum.unknown_raises << " announcements before creation, "
              << sum.entered_while_gated << " entries after GO, at most " << sum.most_waves
              << " waves; messages by kind:";
    for (std::int64_t count : sum.messages) std::cout << ' ' << count;
    std::cout << '\n';
    if (!by_default) return;
    // The simulation is worth something only if it gets into the difficult places.
    EXPECT_GT(sum.stops_in_mid_program, sum.stops / 4);
    EXPECT_GT(sum.abandoned, 0);
    EXPECT_GT(sum.switched, 0);
    EXPECT_GT(sum.stashed, 0);
    EXPECT_GT(sum.unknown_raises, 0);
    EXPECT_GT(sum.entered_while_gated, 0);
    for (std::int64_t count : sum.messages) EXPECT_GT(count, 0);
}

// A switched-off rule must be noticed; otherwise the runs above prove little.
template <typename Rules>
void expect_noticed(const char *what, std::uint64_t most_seeds) {
    for (std::uint64_t seed = 0; seed < most_seeds; ++seed) {
        const Report report = run_randomly<Rules>(random_scenario(seed), seed);
        if (report.error.empty()) continue;
        std::cout << what << ": noticed at seed " << seed << ": " << report.error.substr(0, report.error.find('\n'))
                  << '\n';
        return;
    }
    ADD_FAILURE() << what << " went unnoticed in " << most_seeds << " runs";
}

TEST(SettleRandom, NoticesABrokenRule) {
    expect_noticed<GateBeforeGo>("gate before GO", 500);
    expect_noticed<AnnounceLate>("announcement after the collective", 500);
    expect_noticed<GateThoseWhoOwe>("gate for ranks that owe elsewhere", 1000);
    expect_noticed<StopAfterFirstWave>("stop after one wave", 1000);
    expect_noticed<DropUnknownRaise>("announcement of an unknown communicator dropped", 2000);
    expect_noticed<ForgetRemoved>("freed communicator forgotten", 2000);
    expect_noticed<AbandonDownTheTree>("ABANDON relayed by the tree", 20'000);
    expect_noticed<LeaveStaleReady>("stale READY not answered", 6000);
}

}  // namespace
}  // namespace sckpt::settle_sim
