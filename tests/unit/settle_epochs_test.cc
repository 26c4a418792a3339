// SETTLE: requests that follow each other, overlap, or are given up.
#include <gtest/gtest.h>

#include "tests/unit/settle_ranks.h"

namespace sckpt::mpi_coord {
namespace {

TEST(SettleEpochs, AMessageOfTheNextEpochWaitsForResume) {
    Ranks ranks(2);
    ranks.aware(0);
    ranks.aware(1);
    ASSERT_TRUE(ranks.run());
    ASSERT_TRUE(ranks.all(Phase::stopped));
    ranks[1].resume();
    ranks.aware(1, 2, 4);
    ASSERT_TRUE(ranks.deliver(1, 0));
    EXPECT_TRUE(ranks[0].stopped());
    EXPECT_FALSE(ranks[0].must_become_aware());
    ranks[0].resume();
    EXPECT_EQ(ranks[0].pending_epoch(), 2u);
    ranks.aware(0, 2);
    EXPECT_EQ(ranks[0].phase(), Phase::gated);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[0].cause(), 4u);
}

TEST(SettleEpochs, ARequestMadeMeanwhileFollows) {
    Ranks ranks(2);
    ranks.aware(0);
    ranks.aware(1);
    EXPECT_FALSE(ranks[1].become_aware(3, 16, {}));  // ready for epoch 1 already
    ASSERT_TRUE(ranks.run());
    ASSERT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[1].epoch(), 1u);
    ranks[0].resume();
    ranks[1].resume();
    EXPECT_FALSE(ranks[0].must_become_aware());
    EXPECT_EQ(ranks[1].pending_epoch(), 3u);
    ranks.aware(1, 3);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[0].cause(), 16u);
}

// Rank 0 has heard of the second request only.  Rank 1 is ready for the first and has put the second off.
TEST(SettleEpochs, ARequestThatSomebodySkippedIsDead) {
    Ranks ranks(2);
    ranks.aware(1, 1);
    EXPECT_FALSE(ranks[1].become_aware(2, 0, {}));
    ranks.aware(0, 2);
    ASSERT_TRUE(ranks.run());
    EXPECT_EQ(ranks.sent[Kind::wake], 1);
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[1].epoch(), 2u);
}

TEST(SettleEpochs, OldMessagesAreDropped) {
    Settle settle(0, 2);
    settle.become_aware(5, 0, {});
    EXPECT_FALSE(settle.receive(1, {Kind::raise, 4, 0, kWorld, 9, 0}));
    EXPECT_FALSE(settle.active());
    EXPECT_TRUE(settle.receive(1, {Kind::raise, 6, 0, kWorld, 9, 0}));
    EXPECT_EQ(settle.pending_epoch(), 6u);
}

TEST(SettleEpochs, GivingUpReachesEverybodyAndTheNextRequestWorks) {
    Ranks ranks(8);
    ranks.add(kWorld, {0, 1, 2, 3, 4, 5, 6, 7});
    for (std::uint32_t rank = 0; rank < 7; ++rank) ranks.aware(rank);
    ranks.enter(6, kWorld);
    ranks[6].give_up(42);
    ranks.collect(6);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::idle));
    for (std::uint32_t rank = 0; rank < 8; ++rank) {
        EXPECT_EQ(ranks[rank].last_abandoned().epoch, 1u) << rank;
        EXPECT_EQ(ranks[rank].last_abandoned().rank, 6u) << rank;
        EXPECT_EQ(ranks[rank].last_abandoned().reason, 42) << rank;
        EXPECT_TRUE(ranks[rank].may_enter(kWorld)) << rank;
    }
    ranks.aware(7, 1);  // its signal comes late
    EXPECT_EQ(ranks[7].phase(), Phase::idle);
    for (std::uint32_t rank = 0; rank < 8; ++rank) {
        if (rank != 6) ranks.enter(rank, kWorld);
        ranks.aware(rank, 2);
    }
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[0].last_abandoned().epoch, 1u);
}

TEST(SettleEpochs, GivingUpAfterTheCutIsDecidedIsTooLate) {
    Ranks ranks(2);
    ranks.aware(0);
    ranks.aware(1);
    ASSERT_TRUE(ranks.run());
    ranks[1].give_up(1);
    ranks[0].give_up(1);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks[1].last_abandoned().epoch, 0u);
}

}  // namespace
}  // namespace sckpt::mpi_coord
