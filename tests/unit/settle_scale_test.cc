// How the agreement grows with the number of ranks: in rounds, where a message takes one and a rank does one thing.
#include <gtest/gtest.h>

#include <iostream>

#include "mpi_coord/tree.h"
#include "tests/unit/settle_sim.h"

namespace sckpt::settle_sim {
namespace {

std::int64_t tree_messages(const Report &report) {
    using mpi_coord::Kind;
    std::int64_t sum = 0;
    for (Kind kind : {Kind::ready, Kind::go, Kind::wave, Kind::reply, Kind::stop}) {
        sum += report.messages[static_cast<std::size_t>(kind)];
    }
    return sum;
}

TEST(SettleScale, DepthOfTheTreeIsLogarithmic) {
    EXPECT_EQ(mpi_coord::tree::depth(1), 0u);
    EXPECT_EQ(mpi_coord::tree::depth(2), 1u);
    EXPECT_EQ(mpi_coord::tree::depth(4), 2u);
    EXPECT_EQ(mpi_coord::tree::depth(7), 2u);
    EXPECT_EQ(mpi_coord::tree::depth(8), 3u);
    EXPECT_EQ(mpi_coord::tree::depth(4096), 12u);
    EXPECT_EQ(mpi_coord::tree::depth(16'384), 14u);
}

// Nobody owes anything: READY, GO, REPLY, WAVE, REPLY, STOP and nothing else.
TEST(SettleScale, RanksAtRestNeedTwoWaves) {
    for (int ranks : {1, 2, 3, 4, 7, 8, 64, 100, 1024, 4095, 4096, 16'384}) {
        Scenario scenario;
        scenario.ranks = ranks;
        scenario.programs.resize(ranks);
        const Report report = run_in_rounds(scenario, 0);
        ASSERT_EQ(report.error, "") << ranks;
        const int depth = static_cast<int>(mpi_coord::tree::depth(ranks));
        EXPECT_EQ(report.most_waves, 2) << ranks;
        EXPECT_EQ(tree_messages(report), 6 * (ranks - 1)) << ranks;
        EXPECT_LE(report.rounds_to_stop, 6 * depth + 1) << ranks;
        EXPECT_GE(report.rounds_to_stop, 5 * depth) << ranks;
    }
}

TEST(SettleScale, ABusyJobSettlesInLogarithmicallyManyRounds) {
    constexpr int kSteps = 200;
    for (int ranks : {4, 16, 37, 64, 256, 1000, 1024, 4096, 16'384}) {
        const Scenario scenario = grid_scenario(ranks, kSteps, 11);
        const int depth = static_cast<int>(mpi_coord::tree::depth(ranks));
        for (int request_at : {40, 77}) {
            const Report report = run_in_rounds(scenario, request_at);
            ASSERT_EQ(report.error, "") << ranks;
            const double per_rank = static_cast<double>(tree_messages(report)) / ranks;
            std::int64_t all = 0;
            for (std::int64_t count : report.messages) all += count;
            std::cout << ranks << " ranks, request at " << request_at << ": aware after " << report.rounds_to_aware
                      << " rounds, GO after " << report.rounds_to_go << ", stopped after " << report.rounds_to_stop
                      << "; " << report.most_waves << " waves, messages per rank: tree " << per_rank << ", all "
                      << static_cast<double>(all) / ranks << ", at most " << report.most_sent_by_one << '\n';
            EXPECT_EQ(report.stops_in_mid_program, 1) << ranks;
            EXPECT_LE(report.most_waves, 4) << ranks;
            EXPECT_LE(report.rounds_to_stop, 20 * (depth + 2)) << ranks;
            EXPECT_LE(static_cast<double>(all) / ranks, 8.0 * (depth + 4)) << ranks;
            // Nobody is a bottleneck: the root has `depth` children and talks to each once a wave.
            EXPECT_LE(report.most_sent_by_one, 8 * (depth + 4)) << ranks;
        }
    }
}

}  // namespace
}  // namespace sckpt::settle_sim
