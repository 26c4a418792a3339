// R12 of SETTLE: ranks that compete for locks, hold them over collectives, and put between fences, under random
// schedules.  The product's rules come to a cut in all of them; without the demands of those who wait inside they hang,
// and with demands that bind everybody the competitors keep each other going for ever.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "mpi_coord/settle.h"

namespace sckpt::mpi_coord {
namespace {

enum class Variant { product, no_demand, all_bound };

constexpr CommunicatorId kPair = 100, kWindow = 200;

// A program is repeated for ever.  L, U: the exclusive lock.  B: a collective of those who have a B.
// P: a put, F: the fence of all that completes it.
class World {
  public:
    World(std::vector<std::string> programs, Variant variant, std::uint64_t seed)
        : programs_(std::move(programs)), variant_(variant), random_(seed) {
        const auto size = static_cast<std::uint32_t>(programs_.size());
        for (std::uint32_t rank = 0; rank < size; ++rank) {
            everybody_.push_back(rank);
            if (programs_[rank].contains('B')) pair_.push_back(rank);
            machines_.emplace_back(rank, size);
        }
        ranks_.resize(size);
        for (std::uint32_t rank = 0; rank < size; ++rank) {
            machines_[rank].add_communicator(kWindow, everybody_, 0);
            if (programs_[rank].contains('B')) machines_[rank].add_communicator(kPair, pair_, 0);
        }
    }

    // Steps until all have stopped; 0 when that has not come within `limit`.
    int run(int limit) {
        for (int step = 1; step <= limit; ++step) {
            this->step(static_cast<std::uint32_t>(random_() % ranks_.size()), step > limit / 20);
            bool all = true;
            for (const Settle &machine : machines_) all = all && machine.stopped();
            if (all) return step;
        }
        return 0;
    }

    // What is not as it must be at the cut; empty when all is.
    std::string wrong() const {
        for (const Rank &rank : ranks_) {
            if (rank.state != State::outside) return "inside a call";
            if (rank.operations != 0) return "operations that nobody completes";
            if (rank.counts != ranks_[0].counts && rank.counts.contains(kPair) == ranks_[0].counts.contains(kPair))
                return "inside a collective";
        }
        return {};
    }

  private:
    enum class State { outside, wants_lock, collective };
    struct Rank {
        State state = State::outside;
        std::size_t at = 0;
        int operations = 0;
        CommunicatorId inside = 0;
        std::map<CommunicatorId, std::int64_t> counts;
    };

    void step(std::uint32_t r, bool requested) {
        Rank &rank = ranks_[r];
        Settle &machine = machines_[r];
        if (rank.state == State::wants_lock && holder_ < 0) {
            holder_ = static_cast<int>(r);
            rank.state = State::outside;
            machine.comes_out(kWindow);
            machine.holds(kWindow, true);
            return collect(r);
        }
        if (rank.state == State::collective) {
            for (std::uint32_t other : rank.inside == kPair ? pair_ : everybody_)
                if (ranks_[other].counts[rank.inside] < rank.counts[rank.inside]) return;
            rank.state = State::outside;
            return;
        }
        if (rank.state != State::outside || machine.stopped()) return;
        switch (random_() % 3) {
            case 0:
                return receive(r);
            case 1:
                if (requested && machine.phase() == Phase::idle) become_aware(r, 1);
                machine.poll();
                return collect(r);
            default:
                return advance(r);
        }
    }

    // All that has come from one of the others, as the driver takes all that has come.
    void receive(std::uint32_t r) {
        const auto from = static_cast<std::uint32_t>(random_() % ranks_.size());
        auto &channel = channels_[{from, r}];
        for (; !channel.empty(); channel.pop_front())
            if (machines_[r].receive(from, channel.front())) become_aware(r, machines_[r].pending_epoch());
        collect(r);
    }

    void become_aware(std::uint32_t r, std::uint32_t epoch) {
        std::vector<Count> counts;
        for (const auto &[id, count] : ranks_[r].counts) counts.push_back({id, count});
        machines_[r].become_aware(epoch, 1, counts);
        machines_[r].holds(kWindow, holder_ == static_cast<int>(r));
        if (ranks_[r].operations > 0) machines_[r].will_enter(kWindow, ranks_[r].counts[kWindow] + 1);
    }

    void advance(std::uint32_t r) {
        Rank &rank = ranks_[r];
        Settle &machine = machines_[r];
        const char what = programs_[r][rank.at];
        const CommunicatorId id = what == 'B' ? kPair : kWindow;
        const bool collective = what == 'B' || what == 'F';
        if (collective && !machine.may_enter(id)) return;
        if ((what == 'L' || (what == 'P' && rank.operations == 0)) && !machine.may_block()) return;
        rank.at = (rank.at + 1) % programs_[r].size();
        if (collective) {
            machine.entering(id, ++rank.counts[id]);
            if (what == 'F') rank.operations = 0;
            rank.state = State::collective;
            rank.inside = id;
        } else if (what == 'L') {
            rank.state = State::wants_lock;
            if (variant_ != Variant::no_demand) machine.waits_inside(kWindow, variant_ == Variant::product, everybody_);
        } else if (what == 'U') {
            holder_ = -1;
            machine.holds(kWindow, false);
        } else if (what == 'P') {
            ++rank.operations;
            machine.will_enter(kWindow, rank.counts[kWindow] + 1);
        }
        collect(r);
    }

    void collect(std::uint32_t r) {
        std::vector<Outgoing> out;
        machines_[r].take_outbox(out);
        for (const Outgoing &outgoing : out) channels_[{r, outgoing.to}].push_back(outgoing.message);
    }

    std::vector<std::string> programs_;
    Variant variant_;
    std::mt19937_64 random_;
    std::vector<std::uint32_t> everybody_, pair_;
    std::deque<Settle> machines_;
    std::vector<Rank> ranks_;
    int holder_ = -1;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::deque<Message>> channels_;
};

constexpr int kSteps = 20000;

// How many of the schedules come to no cut; a wrong one is a failure of the test.
int without_cut(const std::vector<std::string> &programs, Variant variant, int schedules) {
    int none = 0;
    for (int seed = 0; seed < schedules; ++seed) {
        World world(programs, variant, static_cast<std::uint64_t>(seed));
        if (world.run(kSteps) == 0)
            ++none;
        else
            EXPECT_EQ(world.wrong(), "") << "schedule " << seed;
    }
    return none;
}

// All in a hot loop; the holder of a lock meets another rank before it gives it back; puts between fences.
const std::vector<std::string> kCompeting{"LU", "LU", "LU", "LU"};
const std::vector<std::string> kHeldOver{"LBU", "B", "LU", "LU"};
const std::vector<std::string> kFences{"PPF", "F", "PF", "PPPF"};

TEST(SettleWindows, RanksThatCompeteForALockComeToRest) {
    EXPECT_EQ(without_cut(kCompeting, Variant::product, 500), 0);
    EXPECT_GT(without_cut(kCompeting, Variant::all_bound, 50), 0);
}

TEST(SettleWindows, TheHolderOfALockGoesOnWhileOthersWaitForIt) {
    EXPECT_EQ(without_cut(kHeldOver, Variant::product, 1000), 0);
    EXPECT_GT(without_cut(kHeldOver, Variant::no_demand, 200), 0);
}

TEST(SettleWindows, NoCutBetweenAnOperationAndItsFence) { EXPECT_EQ(without_cut(kFences, Variant::product, 1000), 0); }

TEST(SettleWindows, ALockMayBeHeldAtTheCut) {
    Settle settle(0, 1);
    settle.become_aware(1, 0, {});
    settle.holds(kWindow, true);
    settle.poll();
    EXPECT_TRUE(settle.stopped());
}

TEST(SettleWindows, WhoIsObligedGoesOn) {
    Settle settle(0, 1);
    settle.become_aware(1, 0, {});
    settle.oblige(true);
    settle.poll();
    EXPECT_FALSE(settle.stopped());
    EXPECT_TRUE(settle.may_block());
    settle.oblige(false);
    settle.poll();
    EXPECT_TRUE(settle.stopped());
    EXPECT_FALSE(settle.may_block());
}

}  // namespace
}  // namespace sckpt::mpi_coord
