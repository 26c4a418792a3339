// SETTLE: the agreement by which the ranks of a job run on until nobody owes anybody a collective, and then stop.
//
// One object per rank and process, pure: (state, event) -> (state, messages).  It knows no MPI, clock, lock or
// descriptor and allocates by operator new only, so the driver may call it from a signal handler, provided that the
// handler did not interrupt another call of the same object.  The rules R1..R12 are at the head of settle_impl.h; what
// happens without them, the counterexamples CE1..CE10, is in tests/unit/settle_counterexamples_test.cc.
//
// What the driver owes:
//  - Messages between two ranks are delivered once and in order.  The outbox is handed to the network before the
//    rank goes deaf (enters a blocking lower-level collective), in such a way that it arrives without its help.
//  - It counts the collectives of every communicator itself, always (that is the one increment that an unrequested
//    checkpoint costs), MPI_Comm_free and the creation of children included, in the communicator they are called on.
//    A creation over a group (MPI_Comm_create_group) counts in a communicator registered for (parent, group, tag).
//  - While phase() is not idle: may_enter() before each collective, blocking or not, and if it may, entering();
//    blocked_on() at each unsuccessful look at a point-to-point wait, unblocked() when it ends; poll() after every
//    batch of messages, after the above, and from time to time in a rank that only computes.
//  - Whenever receive() or any other call leaves must_become_aware() true: become_aware(pending_epoch(), 0, counts).
//  - One more poll() is due after unblocked() and entering(); a rank inside is polled with outside = false, if at all.
//  - One-sided communication: may_block() before a call in which the rank may wait, deaf, for what others do, and
//    before the first operation of an epoch that only a later call of its own can end; then waits_inside(), oblige() or
//    will_enter().  holds() and oblige() are told again in every turn, for they do not outlast an epoch.
//  - Something makes every rank of the world aware in the end (the request is signalled to the whole step).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace sckpt::mpi_coord {

// The same number in all members, never used for two communicators in the life of the job.
using CommunicatorId = std::uint64_t;

enum class Kind : std::uint8_t {
    ready,    // up:   my subtree is aware
    go,       // down: everybody is aware, gates close; also starts the first wave
    wave,     // down: answer when outside and passive
    reply,    // up:   a = counted messages sent, b = received, summed over the subtree
    stop,     // down: the cut is fixed
    raise,    // overlay of `communicator`: a member has entered or is about to enter its a-th collective
    demand,   // to a peer: I am active and wait for you
    release,  // to a peer: the demand is withdrawn
    give_up,  // up:   rank a cannot take part, reason b
    abandon,  // root to everybody: the epoch is over without a cut, because of rank a and its reason b
    wake,     // down: this epoch exists; the one you are ready for is dead
};

struct Message {
    Kind kind;
    std::uint32_t epoch;
    std::uint32_t cause;  // union of cause bits known to the sender; only the global tree's messages carry it
    CommunicatorId communicator;
    std::int64_t a;
    std::int64_t b;
};
static_assert(sizeof(Message) <= 48);

struct Outgoing {
    std::uint32_t to;  // world rank
    Message message;
};

// Collectives entered or initiated on a communicator so far, by this rank.
struct Count {
    CommunicatorId communicator;
    std::int64_t entered;
};

enum class Phase : std::uint8_t {
    idle,     // no epoch; the driver only counts
    aware,    // announcing, never held
    gated,    // everybody is aware: a passive rank waits at its gates
    stopped,  // all ranks outside, all counts equal, no counted message in flight; until resume()
};

// Why an epoch ended without a cut.
struct Abandoned {
    std::uint32_t epoch = 0;  // 0: none ever was
    std::uint32_t rank = 0;
    std::int64_t reason = 0;  // the number given to give_up()
};

// Each member switches a rule off, as one counterexample does.  The product has them all false; the unit tests
// instantiate the class with one of them true to show that they would notice.
struct SoundRules {
    static constexpr bool gate_before_go = false;         // CE1
    static constexpr bool no_demand = false;              // CE2
    static constexpr bool announce_late = false;          // CE3
    static constexpr bool relay_by_global_tree = false;   // CE4
    static constexpr bool gate_those_who_owe = false;     // CE5
    static constexpr bool no_first_announcement = false;  // CE6
    static constexpr bool stop_after_first_wave = false;  // CE7
    static constexpr bool stop_after_equal_sums = false;  // CE8
    static constexpr bool drop_unknown_raise = false;     // a communicator is being created
    static constexpr bool forget_removed = false;         // a communicator is freed by some of its members
    static constexpr bool abandon_down_the_tree = false;
    static constexpr bool leave_stale_ready = false;  // two requests that overlap
};

template <typename Rules>
class BasicSettle {
  public:
    BasicSettle(std::uint32_t rank, std::uint32_t size) : rank_(rank), size_(size) {}

    // -- Communicators, in any phase ---------------------------------------------------------------------------

    // Call it before control messages are served again after the creation call, with the sorted world ranks of all
    // members (this rank among them) and the collectives that this rank has already counted on it, normally 0.
    void add_communicator(CommunicatorId id, std::span<const std::uint32_t> members, std::int64_t count);

    // The rank has freed it; `count` includes the freeing call.  Other members may be behind, so about 100 bytes are
    // kept until the next cut; nothing for a communicator of one member.
    void remove_communicator(CommunicatorId id, std::int64_t count);

    // -- Becoming aware ----------------------------------------------------------------------------------------

    // An epoch newer than ours is known and can be joined now.
    [[nodiscard]] bool must_become_aware() const { return pending_epoch() != 0; }
    // Its number, 0 if there is none.
    [[nodiscard]] std::uint32_t pending_epoch() const;

    // Joins `epoch` (a positive request number) or a newer one that is pending.  `counts`: all communicators of the
    // rank; one left out keeps the count last told.  Called again in an epoch it adds `cause`.  A newer epoch than the
    // current one is remembered and becomes pending when that one ends.  False: the epoch is over, or remembered.
    bool become_aware(std::uint32_t epoch, std::uint32_t cause, std::span<const Count> counts);

    // A control message.  Returns must_become_aware().
    bool receive(std::uint32_t from, const Message &message);

    // -- What the rank does ------------------------------------------------------------------------------------

    // May it enter or initiate a collective on `id` now?  If not, it waits at the gate and serves messages.
    [[nodiscard]] bool may_enter(CommunicatorId id) const;

    // It is about to enter its seq-th collective on `id`: announces that.  No effect while idle.
    void entering(CommunicatorId id, std::int64_t seq);

    // It waits in point-to-point for one of `peers` (world ranks, any order, itself and doubles ignored; all threads'
    // waits together).  Replaces what was said before.  Ignored while idle or stopped.
    void blocked_on(std::span<const std::uint32_t> peers);
    void unblocked();

    // May it enter a call in which it waits, deaf, for others, or begin what it must go on with?
    [[nodiscard]] bool may_block() const {
        return phase_ == Phase::idle || phase_ == Phase::aware || (phase_ == Phase::gated && active());
    }
    // It is about to wait inside such a call, until comes_out(): sends demands to `peers`, each of them bound until
    // then; with `holders`, only while it holds(id).  No effect when already told.
    void waits_inside(CommunicatorId id, bool holders, std::span<const std::uint32_t> peers);
    void comes_out(CommunicatorId id);
    // It holds a lock of the window with this id, or no longer.
    void holds(CommunicatorId id, bool held);
    // It has begun what it must go on with to its end, or no longer has.
    void oblige(bool obliged) { obliged_ = obliged; }
    // It is sure to enter its seq-th collective on `id`, not now: makes it and all members owe that.
    void will_enter(CommunicatorId id, std::int64_t seq);

    // Sends what the state asks for.  `outside`: no thread of the rank is in a blocking lower-level collective, so
    // waves may be answered.
    void poll(bool outside = true);

    // The rank cannot take part in this epoch: asks the root to abandon it.  Too late once a cut is decided: then the
    // rank gets to `stopped` and its driver must fail a later phase.  Not remembered beyond the current epoch.
    void give_up(std::int64_t reason);

    // From stopped back to idle.
    void resume();

    // -- Results -----------------------------------------------------------------------------------------------

    // Replaces the content of `into` by the messages to send, in order.
    void take_outbox(std::vector<Outgoing> &into) {
        into.clear();
        into.swap(outbox_);
    }
    [[nodiscard]] bool outbox_empty() const { return outbox_.empty(); }

    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] bool stopped() const { return phase_ == Phase::stopped; }
    // Others have entered, or are about to enter, a collective on `id` that it has yet to enter; or there are no others.
    [[nodiscard]] bool is_due(CommunicatorId id) const;
    // Others wait for this rank in something that it has yet to call.
    [[nodiscard]] bool owes() const { return owing_ > 0 || obliged_; }
    // Somebody needs this rank to go on.
    [[nodiscard]] bool active() const { return owing_ > 0 || obliged_ || !inside_.empty() || bound(); }
    // The current epoch, or the last one that ended.
    [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
    // Causes of the epoch; the same in all ranks when stopped.
    [[nodiscard]] std::uint32_t cause() const { return cause_; }
    // Causes given here too late to be among cause(): ask again after resume().
    [[nodiscard]] std::uint32_t late_cause() const { return late_cause_; }
    [[nodiscard]] const Abandoned &last_abandoned() const { return abandoned_; }
    // At the root: waves completed in this epoch.
    [[nodiscard]] std::uint32_t waves() const { return waves_; }

  private:
    struct Neighbour {
        std::uint32_t rank;
        std::int64_t known;  // largest number that went over this edge, either way
    };
    struct Communicator {
        std::int64_t entered = 0;
        std::int64_t latest = 0;  // largest number heard of in this epoch: T of the rules
        std::uint32_t members = 0;
        bool registered = false;  // false: announced by others, our creation call has not returned
        bool removed = false;
        std::vector<Neighbour> neighbours;  // of an unregistered one: those who announced
    };
    struct Stashed {
        std::uint32_t from;
        Message message;
    };
    struct Demander {
        std::uint32_t rank;
        CommunicatorId id;  // 0: waits in point-to-point
        bool holders;       // binds only while we hold a lock of `id`
    };
    struct Inside {
        CommunicatorId id;
        std::vector<std::uint32_t> peers;
    };

    static bool owes(const Communicator &communicator);
    template <typename Change>
    void change(Communicator &communicator, Change apply);
    Communicator &find_or_make(CommunicatorId id);

    void send(std::uint32_t to, Kind kind, CommunicatorId communicator = 0, std::int64_t a = 0, std::int64_t b = 0);
    void send_to_children(Kind kind, std::int64_t a = 0, std::int64_t b = 0);
    void announce(CommunicatorId id, Communicator &communicator);

    void start(std::uint32_t epoch, std::uint32_t cause, std::span<const Count> counts);
    void reset(bool agreed);
    void abandon(std::uint32_t rank, std::int64_t reason);
    void leave(const Abandoned &why);
    void clear_stash_after_end();
    void drop_stale(std::uint32_t from, const Message &message);

    void handle(std::uint32_t from, const Message &message);
    void handle_raise(std::uint32_t from, const Message &message);
    void send_ready_when_complete();
    void open_wave();
    void answer_wave();
    void stop();
    void update_demands();
    [[nodiscard]] bool bound() const;
    [[nodiscard]] bool demanded_by(std::uint32_t peer) const;

    const std::uint32_t rank_;
    const std::uint32_t size_;
    Phase phase_ = Phase::idle;
    std::uint32_t epoch_ = 0;
    std::uint32_t cause_ = 0;
    std::uint32_t late_cause_ = 0;
    std::uint32_t requested_ = 0;  // newer epoch asked for here while it could not be joined
    std::uint32_t requested_cause_ = 0;
    Abandoned abandoned_;

    std::unordered_map<CommunicatorId, Communicator> communicators_;
    std::uint64_t owing_ = 0;  // how many of them owe

    std::vector<Demander> demanders_;   // whose demand is in force
    std::vector<Inside> inside_;        // calls in which we wait, deaf
    std::vector<CommunicatorId> held_;  // windows of which we hold a lock
    bool obliged_ = false;
    std::vector<std::uint32_t> blocked_;   // sorted: whom we wait for
    std::vector<std::uint32_t> demanded_;  // sorted: who has a demand of ours
    bool demands_changed_ = false;
    bool demands_sent_as_active_ = false;

    std::int64_t sent_ = 0;  // counted messages of the epoch
    std::int64_t received_ = 0;
    std::uint32_t ready_children_ = 0;
    bool ready_sent_ = false;
    bool wave_open_ = false;
    std::uint32_t replies_missing_ = 0;
    std::int64_t sum_sent_ = 0;
    std::int64_t sum_received_ = 0;
    std::int64_t previous_received_ = -1;  // root: of the wave before
    std::uint32_t waves_ = 0;

    std::vector<Stashed> stash_;  // messages of newer epochs
    std::vector<Outgoing> outbox_;
};

using Settle = BasicSettle<SoundRules>;
extern template class BasicSettle<SoundRules>;

}  // namespace sckpt::mpi_coord
