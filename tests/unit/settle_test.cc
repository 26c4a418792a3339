// The SETTLE state machine, rule by rule, with messages delivered by hand.
#include "mpi_coord/settle.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "mpi_coord/tree.h"
#include "tests/unit/settle_ranks.h"

namespace sckpt::mpi_coord {
namespace {

TEST(SettleTree, EveryRankIsTheChildOfItsParentOnce) {
    for (std::uint32_t size : {1u, 2u, 3u, 8u, 13u, 100u}) {
        std::vector<int> seen(size);
        for (std::uint32_t rank = 0; rank < size; ++rank) {
            tree::for_each_child(rank, size, [&](std::uint32_t child) {
                ASSERT_LT(child, size);
                EXPECT_EQ(tree::parent(child), rank);
                ++seen[child];
            });
        }
        for (std::uint32_t rank = 1; rank < size; ++rank) EXPECT_EQ(seen[rank], 1) << rank << " of " << size;
        EXPECT_EQ(seen[0], 0);
    }
}

TEST(SettleTree, OverlayIsSymmetric) {
    for (std::uint32_t size : {1u, 2u, 5u, 12u}) {
        for (std::uint32_t one = 0; one < size; ++one) {
            for (std::uint32_t other : tree::overlay_neighbours(one, size)) {
                const auto back = tree::overlay_neighbours(other, size);
                EXPECT_NE(std::find(back.begin(), back.end(), one), back.end());
            }
        }
    }
}

TEST(Settle, OneRankStopsAtOnce) {
    Settle settle(0, 1);
    const std::uint32_t self[] = {0};
    settle.add_communicator(kWorld, self, 5);
    settle.add_communicator(kOther, self, 0);
    EXPECT_FALSE(settle.stopped());
    EXPECT_TRUE(settle.become_aware(1, 4, {}));
    settle.poll();
    EXPECT_TRUE(settle.stopped());
    EXPECT_TRUE(settle.outbox_empty());
    EXPECT_EQ(settle.cause(), 4u);
    EXPECT_FALSE(settle.may_enter(kWorld));
    settle.resume();
    EXPECT_TRUE(settle.may_enter(kWorld));
    EXPECT_FALSE(settle.become_aware(1, 4, {}));
    EXPECT_TRUE(settle.become_aware(2, 0, {}));
}

TEST(Settle, AnswersNoWaveWhileAThreadIsInside) {
    Settle settle(0, 1);
    settle.become_aware(1, 0, {});
    settle.poll(false);
    EXPECT_FALSE(settle.stopped());
    settle.poll(true);
    EXPECT_TRUE(settle.stopped());
}

TEST(Settle, IdleRanksSayNothing) {
    Ranks ranks(4);
    ranks.add(kWorld, {0, 1, 2, 3});
    for (std::uint32_t rank = 0; rank < 4; ++rank) {
        ranks.enter(rank, kWorld);
        ranks.blocked(rank, {(rank + 1) % 4});
        ranks[rank].unblocked();
        ranks.collect(rank);
    }
    EXPECT_TRUE(ranks.sent.empty());
}

TEST(Settle, CausesAreUnitedAndTheSameEverywhere) {
    Ranks ranks(5);
    for (std::uint32_t rank = 0; rank < 5; ++rank) ranks.aware(rank, 1, 1u << rank);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    for (std::uint32_t rank = 0; rank < 5; ++rank) {
        EXPECT_EQ(ranks[rank].cause(), 0x1fu);
        EXPECT_EQ(ranks[rank].late_cause(), 0u);
    }
    ranks.aware(3, 1, 64);
    EXPECT_EQ(ranks[3].cause(), 0x1fu);
    EXPECT_EQ(ranks[3].late_cause(), 64u);
}

TEST(Settle, ACauseGivenAfterTheLastReplyIsLate) {
    Ranks ranks(2);
    ranks.aware(0);
    ranks.aware(1);
    while (!ranks[0].stopped()) {
        ranks.deliver(1, 0);
        ranks[0].poll();
        ranks.collect(0);
        if (ranks[0].stopped()) break;
        ranks.deliver(0, 1);
        ranks[1].poll();
        ranks.collect(1);
    }
    ranks.aware(1, 1, 8);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[1].stopped());
    EXPECT_EQ(ranks[1].cause(), 0u);
    EXPECT_EQ(ranks[1].late_cause(), 8u);
}

TEST(Settle, NobodyIsHeldBeforeGoAndOnlyPassiveRanksAfterIt) {
    Ranks ranks(3);
    ranks.add(kWorld, {0, 1, 2});
    ranks.aware(0);
    ranks.aware(1);
    EXPECT_TRUE(ranks[1].may_enter(kWorld));
    ranks.enter(1, kWorld);
    ranks.aware(2);
    // GO before the announcement: both leaves are ready.
    ASSERT_EQ(ranks.oldest(1, 0)->kind, Kind::ready);
    ranks.deliver(1, 0);
    while (ranks[0].phase() == Phase::aware) ASSERT_TRUE(ranks.deliver(2, 0));
    EXPECT_FALSE(ranks[0].may_enter(kWorld));
    while (ranks.deliver(1, 0)) {
    }
    EXPECT_TRUE(ranks[0].active());
    EXPECT_TRUE(ranks[0].may_enter(kWorld));
    ASSERT_TRUE(ranks.run());
    EXPECT_FALSE(ranks[0].stopped());
    EXPECT_TRUE(ranks[2].may_enter(kWorld));
    ranks.enter(0, kWorld);
    ranks.enter(2, kWorld);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
}

TEST(Settle, ACommunicatorOfOneMemberHoldsNobody) {
    Ranks ranks(2);
    ranks.add(kWorld, {0, 1});
    ranks.add(kOther, {1});
    ranks.aware(0);
    ranks.aware(1);
    ranks.deliver(1, 0);
    ranks.deliver(0, 1);
    ASSERT_EQ(ranks[1].phase(), Phase::gated);
    EXPECT_FALSE(ranks[1].may_enter(kWorld));
    EXPECT_TRUE(ranks[1].may_enter(kOther));
}

TEST(Settle, AnAnnouncementCrossesAnEdgeOnce) {
    Ranks ranks(2);
    ranks.add(kWorld, {0, 1});
    ranks.enter(0, kWorld);
    ranks.enter(1, kWorld);
    ranks.aware(0);
    while (ranks.deliver(0, 1)) {
    }
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    EXPECT_EQ(ranks.sent[Kind::raise], 2);  // rank 1 becomes aware, and announces, before it reads the other's
}

TEST(Settle, AnnouncementOfAnUnknownCommunicatorIsKeptAndPassedOn) {
    Ranks ranks(3);
    const std::vector<std::uint32_t> members = {0, 1, 2};
    ranks[1].add_communicator(kOther, members, 0);
    for (std::uint32_t rank = 0; rank < 3; ++rank) ranks.aware(rank);
    ranks[1].entering(kOther, 1);
    ranks.collect(1);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[0].active());
    EXPECT_TRUE(ranks[0].may_enter(kWorld));  // its way to the end of the creation is open
    EXPECT_FALSE(ranks[2].active());
    ranks[0].add_communicator(kOther, members, 0);
    ranks.collect(0);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[2].active());
    ranks[2].add_communicator(kOther, members, 0);
    for (std::uint32_t rank : {0u, 2u}) {
        ranks[rank].entering(kOther, 1);
        ranks.collect(rank);
    }
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
}

TEST(Settle, AFreedCommunicatorIsRememberedUntilTheCut) {
    Ranks ranks(2);
    ranks[0].add_communicator(kOther, std::vector<std::uint32_t>{0, 1}, 0);
    ranks[1].add_communicator(kOther, std::vector<std::uint32_t>{0, 1}, 0);
    ranks[0].remove_communicator(kOther, 1);  // the freeing call is its first collective; rank 1 has not made it
    ranks[0].become_aware(1, 0, {});
    ranks.collect(0);
    ranks[1].become_aware(1, 0, {});
    ranks.collect(1);
    ASSERT_TRUE(ranks.run());
    EXPECT_FALSE(ranks[0].stopped());
    EXPECT_TRUE(ranks[1].may_enter(kOther));
    ranks[1].entering(kOther, 1);
    ranks[1].remove_communicator(kOther, 1);
    ranks.collect(1);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks.all(Phase::stopped));
    ranks[0].resume();
    ranks[0].become_aware(2, 0, {});
    std::vector<Outgoing> out;
    ranks[0].take_outbox(out);
    EXPECT_TRUE(out.empty());
}

// Rank 0 owes (kOther, 1), which rank 3 has entered, and waits for rank 1.
class SettleDemand : public testing::Test {
  protected:
    SettleDemand() : ranks(4) {
        ranks.add(kOther, {0, 3});
        for (std::uint32_t rank = 0; rank < 4; ++rank) ranks.aware(rank);
        ranks.enter(3, kOther);
        EXPECT_TRUE(ranks.run());
        EXPECT_TRUE(ranks[0].active());
        EXPECT_FALSE(ranks[1].active());
    }
    void settle_debt() {
        ranks.enter(0, kOther);
        EXPECT_TRUE(ranks.run());
    }
    Ranks ranks;
};

TEST_F(SettleDemand, IsSentOnceWhileActiveAndBlocked) {
    ranks.blocked(1, {0});
    EXPECT_EQ(ranks.sent[Kind::demand], 0);  // passive
    ranks[1].unblocked();
    ranks.blocked(0, {1, 2, 1, 0});
    ranks.blocked(0, {2, 1});
    EXPECT_EQ(ranks.sent[Kind::demand], 2);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[1].active());
    EXPECT_TRUE(ranks[2].active());
    ranks.blocked(0, {2});
    EXPECT_EQ(ranks.sent[Kind::release], 1);
    ranks[0].unblocked();
    ranks.collect(0);
    EXPECT_EQ(ranks.sent[Kind::release], 2);
    ranks[0].unblocked();
    ranks.collect(0);
    EXPECT_EQ(ranks.sent[Kind::release], 2);
    ASSERT_TRUE(ranks.run());
    EXPECT_FALSE(ranks[1].active());
    EXPECT_FALSE(ranks[2].active());
    settle_debt();
    EXPECT_TRUE(ranks.all(Phase::stopped));
}

// Rank 1 is a server in a wildcard receive, rank 2 an idle client that waits for it, and no message will come: what
// was demanded of the server for a moment must not keep the two active for ever.
TEST_F(SettleDemand, DoesNotOutliveItsCause) {
    ranks.blocked(1, {0, 2, 3});
    ranks.blocked(2, {1});
    ranks.blocked(0, {1});
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[1].active());
    EXPECT_TRUE(ranks[2].active());
    ranks[0].unblocked();
    ranks.collect(0);
    settle_debt();
    EXPECT_TRUE(ranks.all(Phase::stopped));
}

TEST_F(SettleDemand, TwoThatCrossDoNotKeepEachOtherActive) {
    ranks.blocked(1, {2});
    ranks.blocked(2, {1});
    ranks.blocked(0, {1, 2});
    ASSERT_TRUE(ranks.deliver(0, 1));
    ASSERT_TRUE(ranks.deliver(0, 2));
    ranks.blocked(1, {2});
    ranks.blocked(2, {1});
    ASSERT_EQ(ranks.oldest(1, 2)->kind, Kind::demand);
    ASSERT_EQ(ranks.oldest(2, 1)->kind, Kind::demand);
    ASSERT_TRUE(ranks.run());
    EXPECT_TRUE(ranks[1].active());
    EXPECT_TRUE(ranks[2].active());
    ranks[0].unblocked();
    ranks.collect(0);
    settle_debt();
    EXPECT_TRUE(ranks.all(Phase::stopped));
}

}  // namespace
}  // namespace sckpt::mpi_coord
