#include "tests/unit/settle_sim.h"

#include "tests/unit/settle_world.h"

namespace sckpt::settle_sim {
namespace {

enum class Step { request, signal, control, application, program, blocked, poll, give_up, resume };

struct Choice {
    Step step;
    int rank;
    std::size_t index;
    double weight;
};

struct Weights {
    Weights(std::mt19937_64 &random, int ranks) {
        auto one_in = [&](unsigned n) { return random() % n == 0; };
        for (int r = 0; r < ranks; ++r) {
            rank.push_back(one_in(3) ? 0.02 : 1);
            // A rank that hears of the request by control messages only, unless nothing else can happen any more.
            signal.push_back(one_in(4) ? 1e-7 : one_in(3) ? 0.005 : 0.05);
        }
        control = one_in(3) ? 0.05 : 1;
        application = one_in(3) ? 0.05 : 1;
        program = one_in(4) ? 0.1 : 1;
        blocked = one_in(2) ? 1 : 0.1;
        poll = one_in(3) ? 0.05 : 1;
        request = one_in(2) ? 0.2 : 0.01;
    }
    std::vector<double> rank, signal;
    double control, application, program, blocked, poll, request;
};

constexpr int kMostSteps = 400'000;

}  // namespace

template <typename Rules>
Report run_randomly(const Scenario &scenario, std::uint64_t seed) {
    std::mt19937_64 random(seed * 2654435761u + 17);
    World<Rules> world(scenario);
    const Weights weights(random, scenario.ranks);
    std::vector<Choice> choices;
    for (int steps = 0; world.report.error.empty(); ++steps) {
        if (steps == kMostSteps) {
            world.report.error = "no end in sight" + world.describe();
            break;
        }
        choices.clear();
        double total = 0;
        auto add = [&](Step step, int rank, std::size_t index, double weight) {
            choices.push_back({step, rank, index, weight});
            total += weight;
        };
        bool at_rest = true;  // no rank is in an epoch or about to be
        bool finished = true;
        for (int r = 0; r < world.size(); ++r) {
            const double speed = weights.rank[r];
            at_rest = at_rest && world.phase(r) == Phase::idle && !world.signal_pending(r);
            finished = finished && world.finished(r) && world.control_count(r) == 0;
            if (!world.inside(r)) {
                if (world.signal_pending(r)) add(Step::signal, r, 0, weights.signal[r]);
                if (world.control_count(r) > 0) {
                    add(Step::control, r, random() % world.control_count(r), weights.control * speed);
                }
                if (world.can_tell_blocked(r)) add(Step::blocked, r, 0, weights.blocked * speed);
                if (world.can_poll(r)) add(Step::poll, r, 0, weights.poll * speed);
                if (world.can_resume(r)) add(Step::resume, r, 0, 0.1 * speed);
                if (scenario.give_up && world.can_give_up(r)) add(Step::give_up, r, 0, 0.002);
            }
            if (world.can_step(r)) add(Step::program, r, 0, weights.program * speed);
            if (world.flying_count(r) > 0) {
                add(Step::application, r, random() % world.flying_count(r), weights.application);
            }
        }
        const bool more_requests = static_cast<int>(world.requests()) < scenario.requests;
        if (more_requests && (at_rest || scenario.requests_overlap)) add(Step::request, 0, 0, weights.request);
        if (!more_requests && at_rest && finished) {
            world.check_end();
            break;
        }
        // Giving up is nothing that a run may depend on.
        if (std::all_of(choices.begin(), choices.end(), [](const Choice &c) { return c.step == Step::give_up; })) {
            world.report.error = "hang" + world.describe();
            break;
        }
        double dice = std::uniform_real_distribution<double>(0, total)(random);
        std::size_t at = 0;
        while (at + 1 < choices.size() && dice >= choices[at].weight) dice -= choices[at++].weight;
        const Choice &choice = choices[at];
        switch (choice.step) {
            case Step::request:
                world.request(1u << random() % 8);
                break;
            case Step::signal:
                world.deliver_signal(choice.rank);
                break;
            case Step::control:
                world.deliver_control(choice.rank, choice.index);
                break;
            case Step::application:
                world.deliver_application(choice.rank, choice.index);
                break;
            case Step::program:
                world.step(choice.rank);
                break;
            case Step::blocked:
                world.tell_blocked(choice.rank);
                break;
            case Step::poll:
                world.poll(choice.rank);
                break;
            case Step::give_up:
                world.give_up(choice.rank);
                break;
            case Step::resume:
                world.resume(choice.rank);
                break;
        }
    }
    return world.report;
}

Report run_in_rounds(const Scenario &scenario, int request_at) {
    World<Sound> world(scenario);
    auto all = [&](auto holds) {
        for (int r = 0; r < world.size(); ++r) {
            if (!holds(r)) return false;
        }
        return true;
    };
    std::vector<std::vector<std::pair<std::uint32_t, mpi_coord::Message>>> due(scenario.ranks);
    for (int round = 0; !world.all_stopped() && world.report.error.empty(); ++round) {
        if (round == request_at) world.request(1);
        if (round > request_at + 100'000) world.report.error = "no end in sight" + world.describe();
        std::vector<std::size_t> flying(scenario.ranks);
        for (int r = 0; r < world.size(); ++r) {
            due[r] = world.take_control(r);
            flying[r] = world.flying_count(r);
        }
        for (int r = 0; r < world.size(); ++r) {
            for (; flying[r] > 0; --flying[r]) world.deliver_application(r, 0);
            if (world.inside(r)) {
                world.put_back_control(r, std::move(due[r]));
            } else {
                if (world.signal_pending(r)) world.deliver_signal(r);
                for (const auto &[from, message] : due[r]) world.deliver(r, from, message);
                if (world.can_tell_blocked(r)) world.tell_blocked(r);
                if (world.can_poll(r)) world.poll(r);
            }
            if (world.can_step(r)) world.step(r);
        }
        const int passed = round - request_at + 1;
        auto at_least = [&](Phase phase) { return all([&](int r) { return world.phase(r) >= phase; }); };
        if (world.report.rounds_to_aware == 0 && at_least(Phase::aware)) world.report.rounds_to_aware = passed;
        if (world.report.rounds_to_go == 0 && at_least(Phase::gated)) world.report.rounds_to_go = passed;
        world.report.rounds_to_stop = passed;
    }
    return world.report;
}

template Report run_randomly<Sound>(const Scenario &, std::uint64_t);
template Report run_randomly<GateBeforeGo>(const Scenario &, std::uint64_t);
template Report run_randomly<NoDemand>(const Scenario &, std::uint64_t);
template Report run_randomly<AnnounceLate>(const Scenario &, std::uint64_t);
template Report run_randomly<RelayByGlobalTree>(const Scenario &, std::uint64_t);
template Report run_randomly<GateThoseWhoOwe>(const Scenario &, std::uint64_t);
template Report run_randomly<NoFirstAnnouncement>(const Scenario &, std::uint64_t);
template Report run_randomly<StopAfterFirstWave>(const Scenario &, std::uint64_t);
template Report run_randomly<StopAfterEqualSums>(const Scenario &, std::uint64_t);
template Report run_randomly<DropUnknownRaise>(const Scenario &, std::uint64_t);
template Report run_randomly<ForgetRemoved>(const Scenario &, std::uint64_t);
template Report run_randomly<AbandonDownTheTree>(const Scenario &, std::uint64_t);
template Report run_randomly<LeaveStaleReady>(const Scenario &, std::uint64_t);

}  // namespace sckpt::settle_sim
