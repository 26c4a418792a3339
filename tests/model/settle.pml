/* SETTLE, the agreement of mpi_coord/settle.h, as Promela: the rules R1..R12 as they are built (settle_impl.h,
 * settle_epochs_impl.h), and ranks that run small programs of collectives, messages and one-sided communication over
 * them.  tests/model/run.py has spin look at every state that these can get into.  R12 is in windows.pml.
 *
 * What the programs are and who is in which communicator comes from case.h, written by cases.py: tables of `CASES`
 * cases of N ranks and G communicators, of which the first step of a run chooses one.  A step of a rank is one call of
 * the machine's, or one step of its program; between two steps anything may happen elsewhere.  Control messages are
 * delivered in order between two ranks, application messages too; both as late as they like.
 *
 * Left out: causes (no rule looks at them), tags, removal of communicators (a freed one behaves as one that nobody
 * enters any more).  A message of a newer epoch that the machine would stash stays in its channel, which is in order.
 *
 * Checked: nobody hangs (no invalid end state: a reply is held until its rank is passive, so a gate that stays shut shows
 * as one); at the root's decision to stop nobody is inside or active, the counts of all members are equal and no counted
 * message is in flight; nobody is between an operation behind a fence and the next fence, or between start and complete,
 * or has been promised a lock that it does not have; nobody enters or begins anything from then on; nobody who has
 * stopped is told that the epoch was abandoned.  With LIVE also: every fair run comes to its end; with RESTS, for ranks
 * that do nothing but compete for locks: none begins again once it knows that all are aware.
 *
 * Modes: GIVE_UP any rank may give up once; REQUESTS 2 a second request at any time; DRIVER the epochs are numbered as
 * coordinator.cc does it: one more than the last one that ended here, and who was abandoned asks again.
 * Broken rules, named as in settle.h, to see that spin finds them: GATE_BEFORE_GO NO_DEMAND ANNOUNCE_LATE
 * RELAY_BY_GLOBAL_TREE GATE_THOSE_WHO_OWE NO_FIRST_ANNOUNCEMENT STOP_AFTER_FIRST_WAVE STOP_AFTER_EQUAL_SUMS
 * DROP_UNKNOWN_RAISE ABANDON_DOWN_THE_TREE LEAVE_STALE_READY; and, which settle.h has no switch for: KEEP_DEMANDS when
 * passive, CROSS_DEMANDS.  Of R12, which has none there: NO_DEMAND_INSIDE, KEEP_INSIDE_DEMANDS when out again; demands for a
 * lock BIND_ALL, or only the BIND_HOLDERS_OF_NOW, when they arrive; BEGIN_WHEN_PASSIVE; NO_OBLIGATION between start and
 * complete; NO_FENCE_OWED after an operation, or FORGET_OLD_OPERATIONS, of before the request; STAY_UNSURE of a lock.
 */
#include "case.h"

#ifndef REQUESTS
#define REQUESTS 1
#endif

mtype = { READY, GO, WAVE, REPLY, STOP, RAISE, DEMAND, RELEASE, GIVES_UP, ABANDON, WAKE };

/* The phases, in their order. */
#define IDLE 0
#define AWARE 1
#define GATED 2
#define STOPPED 3

/* Constant tables and variables that live within one step are `hidden`: not part of the state. */
hidden mtype kind;
hidden byte stamp, a, b;        /* of the message in hand: epoch and numbers */
hidden byte p, c, t;            /* of loops: peer, communicator, member of the tree (pan.c has a t: no index on the left) */
hidden byte wanted, dead, total_sent, total_received;

byte which; /* case */

/* --- the network: kind, epoch, and two numbers */
chan net[N * (N - 1)] = [CAPACITY] of { mtype, byte, byte, byte };
#define LINK(from, to) net[(from) * (N - 1) + (to) - ((to) > (from) -> 1 : 0)]
#define NOTHING(from, to) ((from) == (to) || len(LINK(from, to)) == 0)

/* --- the machine */
byte phase[N], epoch[N];
byte entered[N * G], latest[N * G];
byte known[N * G * N];
byte sent[N], received[N];
byte demanders[N * IDS];        /* sets of ranks, by what the demands are for: windows.pml; else in point-to-point */
byte demanded[N];               /* set of ranks */
bool told[N];                   /* the machine knows that its rank waits in point-to-point */
byte ready_children[N], missing[N], sum_sent[N], sum_received[N];
bool ready_sent[N], wave[N];
byte previous_received = 255;   /* at the root */
bool knows_child[N];            /* its creation of communicator CHILD (G: there is none) has returned */
#define REGISTERED(r, g) ((g) != CHILD || knows_child[r])
#ifdef ANNOUNCE_LATE
bool late[N];
#define LATE(r) late[r]
#else
#define LATE(r) false
#endif

/* --- the ranks */
byte pc[N];
bool inside[N];                 /* a blocking collective: deaf */
byte flying[N * N];             /* application messages sent and not yet received */
bool signalled[N];
byte requests = 1;
bool gave_up, decided;          /* decided: the root has said STOP, and nobody has resumed */
byte ended;

#define AT(r, g) ((r) * G + (g))
#define EDGE(r, g, q) (((r) * G + (g)) * N + (q))
#define HAS(set, q) (((set) >> (q)) & 1)
#define PARENT(r) ((r) & ((r) - 1))
#define MEMBERS(g) members[which * G + (g)]
#ifdef RELAY_BY_GLOBAL_TREE
#define NEIGHBOURS(r, g) (children[r] | ((r) > 0 -> 1 << PARENT(r) : 0))
#else
#define NEIGHBOURS(r, g) neighbours[(which * G + (g)) * N + (r)]
#endif

#define OWES(g, r) (latest[AT(r, g)] > entered[AT(r, g)] && HAS(MEMBERS(g), r))
#define OWING(r) SOME_COMM(OWES, r)
#define DEMANDERS(r, id) demanders[(r) * IDS + (id)]
#define ACTIVE(r) (OWING(r) || BOUND(r) || OBLIGED(r))
#define IN_EPOCH(r) (phase[r] == AWARE || phase[r] == GATED)

/* --- what a rank's program is at */
#define OP(r) program[(which * N + (r)) * LENGTH + pc[r]]
#define DOES(r) (OP(r) >> 5)
#define WITH(r) (OP(r) & 31)
#define CREATES(r) ((DOES(r) == CREATE || DOES(r) == ADOPT) && HAS(MEMBERS(CHILD), r))

/* Nobody leaves before all have entered; or the first member at once, and the others after it. */
#define THROUGH(q, r, g) (!HAS(MEMBERS(g), q) || entered[AT(q, g)] >= entered[AT(r, g)])
#define ALL_IN(r, g) EVERY_RANK(THROUGH, r, g)
#define FIRST(g) first[which * G + (g)]
#define MAY_LEAVE(r) (ALL_IN(r, WITH(r)) || \
                      (DOES(r) == EARLY && (FIRST(WITH(r)) == r || THROUGH(FIRST(WITH(r)), r, WITH(r)))))

/* Whom it waits for, and whether that has come. */
#define RECEIVES(r) (DOES(r) == RECEIVE || DOES(r) == RECEIVE_ANY)
#define WAITS(r) (RECEIVES(r) || DOES(r) == RECEIVED || DOES(r) == EXPOSURE)
#define PEERS(r) (DOES(r) == RECEIVE_ANY || DOES(r) == EXPOSURE -> WITH(r) : 1 << WITH(r))
#define FROM_PEER(q, r, x) (HAS(PEERS(r), q) && flying[(q) * N + (r)] > 0)
#define CAN_FINISH(r) (DOES(r) == RECEIVED -> flying[(r) * N + WITH(r)] == 0 : \
                       (DOES(r) == EXPOSURE -> EXPOSURE_ENDS(r) : SOME_RANK(FROM_PEER, r, 0)))

/* R6: no demand of somebody whose own is in force; of two that cross, the higher rank's is withdrawn. */
#define HIGHER(r) (((1 << N) - 1) & ~((2 << (r)) - 1))
#ifdef CROSS_DEMANDS
#define UNDEMANDING(r) 255
#else
#define UNDEMANDING(r) (~BINDING(r) | (HIGHER(r) & demanded[r]))
#endif
#ifdef KEEP_DEMANDS
#define WANTED(r) (told[r] && (ACTIVE(r) || demanded[r] != 0) -> PEERS(r) & UNDEMANDING(r) : 0)
#else
#define WANTED(r) (told[r] && ACTIVE(r) -> PEERS(r) & UNDEMANDING(r) : 0)
#endif
#ifdef NO_DEMAND
#define DEMANDS_CHANGE(r) false
#else
#define DEMANDS_CHANGE(r) (WANTED(r) != demanded[r])
#endif

/* R4 */
#define ALONE(r, g) (MEMBERS(g) == 1 << (r))
#if defined(GATE_BEFORE_GO)
#define MAY_ENTER(r, g) (phase[r] == IDLE || ACTIVE(r) || ALONE(r, g))
#elif defined(GATE_THOSE_WHO_OWE)
#define MAY_ENTER(r, g) (phase[r] != GATED || OWES(g, r) || ALONE(r, g))
#else
#define MAY_ENTER(r, g) (phase[r] != GATED || ACTIVE(r) || ALONE(r, g))
#endif

/* R10.  A poll comes after all that has arrived was received; only fairness, which is of processes, needs to know it. */
#define ANSWERS(r) (phase[r] == GATED && wave[r] && missing[r] == 0 && !ACTIVE(r))
#define NO_MESSAGE(q, r, x) NOTHING(q, r)
#define POLL_DUE(r) (DEMANDS_CHANGE(r) || LATE(r) || ANSWERS(r) || TELLS_OF_WINDOWS(r))
#ifdef LIVE
#define CAN_POLL(r) (POLL_DUE(r) && EVERY_RANK(NO_MESSAGE, r, 0))
#else
#define CAN_POLL(r) POLL_DUE(r)
#endif

/* --- messages */

inline send(r, to, what, x, y) {
    assert(nfull(LINK(r, to)));
    LINK(r, to) ! what, epoch[r], x, y
}

inline send_counted(r, to, what, x, y) {
    sent[r]++;
    send(r, to, what, x, y)
}

inline send_to_children(r, what) {
    for (t : 0 .. N - 1) {
        if :: HAS(children[r], t) -> send(r, t, what, 0, 0) :: else fi
    }
}

/* R5: not over an edge that has carried as much. */
inline announce(r, g) {
    if
    :: REGISTERED(r, g) ->
        for (p : 0 .. N - 1) {
            if
            :: HAS(NEIGHBOURS(r, g), p) && known[EDGE(r, g, p)] < latest[AT(r, g)] ->
                known[EDGE(r, g, p)] = latest[AT(r, g)];
                send_counted(r, p, RAISE, g, latest[AT(r, g)])
            :: else
            fi
        }
    :: else
    fi
}

#ifdef WINDOWS
#include "windows.pml"
#else
#define BINDING(r) DEMANDERS(r, 0)
#define BOUND(r) (BINDING(r) != 0)
#define OBLIGED(r) false
#define TELLS_OF_WINDOWS(r) false
#define THROUGH_EPOCHS(q, x, y) true
#define EXPOSURE_ENDS(r) false
#define AWAITS(r) false
#define STEPS_OF_WINDOWS(r)
#endif

/* --- into an epoch and out of it */

inline reset(r) {
    for (c : 0 .. G - 1) {
        latest[AT(r, c)] = 0;
        for (p : 0 .. N - 1) { known[EDGE(r, c, p)] = 0 }
    }
    for (p : 0 .. IDS - 1) { DEMANDERS(r, p) = 0 }
    demanded[r] = 0; told[r] = false;
    sent[r] = 0; received[r] = 0;
    ready_children[r] = 0; ready_sent[r] = false;
    wave[r] = false; missing[r] = 0; sum_sent[r] = 0; sum_received[r] = 0;
    if :: r == 0 -> previous_received = 255 :: else fi
}

/* R1 */
inline become_aware(r, e) {
    dead = (phase[r] == AWARE);
    reset(r);
    epoch[r] = e;
    phase[r] = AWARE;
    for (c : 0 .. G - 1) {
        if
        :: REGISTERED(r, c) && HAS(MEMBERS(c), r) ->
            latest[AT(r, c)] = entered[AT(r, c)];
#ifndef NO_FIRST_ANNOUNCEMENT
            announce(r, c)
#endif
        :: else
        fi
    }
    if :: dead -> send_to_children(r, WAKE) :: else fi
}

inline open_wave(r) {
    wave[r] = true;
    missing[r] = child_count[r];
    sum_sent[r] = 0; sum_received[r] = 0
}

/* R3 */
inline close_gates(r) {
    phase[r] = GATED;
    send_to_children(r, GO);
    open_wave(r)
}

/* R2 */
inline ready_when_complete(r) {
    if
    :: phase[r] == AWARE && !ready_sent[r] && ready_children[r] == child_count[r] ->
        ready_sent[r] = true;
        if :: r == 0 -> close_gates(r) :: else -> send(r, PARENT(r), READY, 0, 0) fi
    :: else
    fi
}

inline leave(r, e) {
    assert(phase[r] != STOPPED);
    reset(r);
    epoch[r] = e;
    phase[r] = IDLE;
#ifdef ABANDON_DOWN_THE_TREE
    if :: r != 0 -> send_to_children(r, ABANDON) :: else fi;
#endif
#ifdef DRIVER
    if :: e < REQUESTS -> signalled[r] = true :: else fi
#endif
}

/* Of the root: straight to everybody, since a relay may be deaf. */
inline abandon() {
#ifdef ABANDON_DOWN_THE_TREE
    send_to_children(0, ABANDON);
#else
    for (t : 1 .. N - 1) { send(0, t, ABANDON, 0, 0) }
#endif
    leave(0, epoch[0])
}

inline stop(r) {
    send_to_children(r, STOP);
    reset(r); /* nothing looks at it any more: fewer states */
    phase[r] = STOPPED
}

#define ALL_OUT(q, x, y) (!inside[q] && !ACTIVE(q))
#define EQUAL(q, g, x) (!HAS(MEMBERS(g), q) || entered[AT(q, g)] == entered[AT(FIRST(g), g)])
#define EQUAL_COUNTS(g, x) EVERY_RANK(EQUAL, g, 0)

inline judge() {
    assert(EVERY_RANK(ALL_OUT, 0, 0));
    assert(EVERY_RANK(THROUGH_EPOCHS, 0, 0));
    assert(EVERY_COMM(EQUAL_COUNTS, 0));
    total_sent = 0; total_received = 0;
    for (t : 0 .. N - 1) { total_sent = total_sent + sent[t]; total_received = total_received + received[t] }
    assert(total_sent == total_received)
}

#if defined(STOP_AFTER_FIRST_WAVE)
#define AGREED true
#elif defined(STOP_AFTER_EQUAL_SUMS)
#define AGREED (sum_sent[0] + sent[0] == sum_received[0] + received[0])
#else
#define AGREED (previous_received == sum_sent[0] + sent[0])
#endif

/* R10 */
inline answer_wave(r) {
    wave[r] = false;
    if
    :: r != 0 ->
        send(r, PARENT(r), REPLY, sum_sent[r] + sent[r], sum_received[r] + received[r]);
        sum_sent[r] = 0; sum_received[r] = 0
    :: else ->
        if
        :: AGREED -> judge(); decided = true; stop(r)
        :: else ->
            previous_received = sum_received[0] + received[0];
            send_to_children(r, WAVE);
            open_wave(r)
        fi
    fi
}

inline update_demands(r) {
    if
    :: DEMANDS_CHANGE(r) ->
        wanted = WANTED(r);
        for (p : 0 .. N - 1) {
            if :: HAS(demanded[r] & ~wanted, p) -> send_counted(r, p, RELEASE, 0, 0) :: else fi
        }
        for (p : 0 .. N - 1) {
            if :: HAS(wanted & ~demanded[r], p) -> send_counted(r, p, DEMAND, 0, 0) :: else fi
        }
        demanded[r] = wanted
    :: else
    fi
}

inline poll(r) {
#ifdef ANNOUNCE_LATE
    if
    :: late[r] -> late[r] = false; for (c : 0 .. G - 1) { announce(r, c) }
    :: else
    fi;
#endif
#ifdef WINDOWS
    tell_of_windows(r);
    if
    :: !inside[r] ->
#endif
    update_demands(r);
    if :: ANSWERS(r) -> answer_wave(r) :: else fi
#ifdef WINDOWS
    :: else
    fi
#endif
}

inline unblocked(r) {
    told[r] = false;
    for (p : 0 .. N - 1) {
        if :: HAS(demanded[r], p) -> send_counted(r, p, RELEASE, 0, 0) :: else fi
    }
    demanded[r] = 0
}

/* A message of the rank's own epoch, from `from`. */
inline handle(r, from) {
    if
    :: kind == READY -> ready_children[r]++
    :: kind == GO -> close_gates(r)
    :: kind == WAVE -> send_to_children(r, WAVE); open_wave(r)
    :: kind == REPLY ->
        sum_sent[r] = sum_sent[r] + a;
        sum_received[r] = sum_received[r] + b;
        missing[r]--
    :: kind == STOP -> stop(r)
    :: kind == RAISE ->
        received[r]++;
#ifdef DROP_UNKNOWN_RAISE
        if
        :: REGISTERED(r, a) ->
#endif
        if :: known[EDGE(r, a, from)] < b -> known[EDGE(r, a, from)] = b :: else fi;
        if :: latest[AT(r, a)] < b -> latest[AT(r, a)] = b; announce(r, a) :: else fi
#ifdef DROP_UNKNOWN_RAISE
        :: else
        fi
#endif
    :: kind == DEMAND ->
        received[r]++;
#ifdef BIND_HOLDERS_OF_NOW
        if :: a == 0 || a == SIDE || HAS(holds[r], a - 1) ->
#endif
        DEMANDERS(r, a) = DEMANDERS(r, a) | (1 << from)
#ifdef BIND_HOLDERS_OF_NOW
        :: else
        fi
#endif
    :: kind == RELEASE -> received[r]++; DEMANDERS(r, a) = DEMANDERS(r, a) & ~(1 << from)
    :: kind == GIVES_UP ->
        if :: r == 0 -> abandon() :: else -> send(r, PARENT(r), GIVES_UP, 0, 0) fi
    :: kind == ABANDON -> leave(r, epoch[r])
    :: kind == WAKE
    fi
}

inline receive(r, from) {
    LINK(from, r) ? kind, stamp, a, b;
    if
    :: stamp < epoch[r] || (stamp == epoch[r] && phase[r] == IDLE) ->
#ifndef LEAVE_STALE_READY
        if :: kind == READY && phase[r] == AWARE -> send(r, from, WAKE, 0, 0) :: else fi
#endif
    :: else ->
        if
        :: stamp > epoch[r] && kind == ABANDON -> leave(r, stamp)
        :: else ->
            if :: stamp > epoch[r] -> become_aware(r, stamp) :: else fi;
            handle(r, from);
            ready_when_complete(r)
        fi
    fi
}

/* --- the program */

inline enter(r, g) {
    assert(!decided || ALONE(r, g));
    entered[AT(r, g)]++;
    if
    :: IN_EPOCH(r) ->
        if :: latest[AT(r, g)] < entered[AT(r, g)] -> latest[AT(r, g)] = entered[AT(r, g)] :: else fi;
#ifdef ANNOUNCE_LATE
        late[r] = true
#else
        announce(r, g)
#endif
    :: else
    fi
#ifdef WINDOWS
    ;
    if :: DOES(r) == FENCE -> operations[r] = operations[r] & ~(1 << g) :: else fi
#endif
}

/* The creation of CHILD returns in a member. */
inline learn_child(r) {
    if
    :: CREATES(r) ->
        knows_child[r] = true;
        if :: IN_EPOCH(r) -> announce(r, CHILD) :: else fi
    :: else
    fi
}

#define RUNS(r) (!inside[r] && phase[r] != STOPPED)
#define ENTERS(r) (DOES(r) == BLOCKING || DOES(r) == EARLY || DOES(r) == CREATE || DOES(r) == FENCE)

/* The machine takes up the request: at once, or when the epoch that it cannot leave has ended. */
#define TAKES_SIGNAL(r) (signalled[r] && RUNS(r) && (phase[r] == IDLE || (phase[r] == AWARE && !ready_sent[r])))
#ifdef DRIVER
#define REQUESTED(r) (phase[r] == IDLE && epoch[r] < REQUESTS -> epoch[r] + 1 : epoch[r])
#define LAST_STOP(r) (phase[r] == STOPPED)
#define CAN_RESUME(r) false
#define MAY_GIVE_UP(r) (!gave_up && IN_EPOCH(r) && !inside[r] && epoch[r] < REQUESTS)
#else
#define REQUESTED(r) requests
#define LAST_STOP(r) (phase[r] == STOPPED && epoch[r] == REQUESTS)
#define HAS_STOPPED(q, e, x) (phase[q] == STOPPED || epoch[q] > e || (epoch[q] == e && phase[q] == IDLE))
#define CAN_RESUME(r) (phase[r] == STOPPED && epoch[r] < REQUESTS && EVERY_RANK(HAS_STOPPED, epoch[r], 0))
#define MAY_GIVE_UP(r) (!gave_up && IN_EPOCH(r) && !inside[r])
#endif
#define FINISHED(r) (phase[r] == IDLE && epoch[r] == REQUESTS && !signalled[r] && DOES(r) == END)

/* A newer epoch's message waits until the rank can leave its own. */
#define NEWER(from, r) (epoch[r] == 1 && LINK(from, r) ? [_, 2, _, _])
#define CAN_RECEIVE(from, r) (RUNS(r) && !NOTHING(from, r) && !(phase[r] == GATED && NEWER(from, r)))

#define FROM_RANK(q) \
    :: d_step { CAN_RECEIVE(q, r) -> receive(r, q) } \
    :: d_step { RUNS(r) && RECEIVES(r) && FROM_PEER(q, r, 0) -> \
                flying[q * N + r]--; unblocked(r); pc[r]++ }

proctype rank(byte r) {
    do
    :: d_step { LAST_STOP(r) || FINISHED(r) -> ended++ }; break

    :: d_step { TAKES_SIGNAL(r) ->
        signalled[r] = false;
        t = REQUESTED(r);
        if :: epoch[r] < t -> stamp = t; become_aware(r, stamp); ready_when_complete(r) :: else fi }
    EACH_RANK(FROM_RANK)
    :: d_step { IN_EPOCH(r) && !inside[r] && CAN_POLL(r) -> poll(r) }
    :: d_step { IN_EPOCH(r) && !inside[r] && WAITS(r) && !told[r] && !CAN_FINISH(r) && !TELLS_OF_WINDOWS(r) ->
        told[r] = true;
        update_demands(r) }
#ifdef GIVE_UP
    :: d_step { MAY_GIVE_UP(r) ->
        gave_up = true;
        if :: r == 0 -> abandon() :: else -> send(r, PARENT(r), GIVES_UP, 0, 0) fi }
#endif
    :: d_step { CAN_RESUME(r) ->
        decided = false;
        phase[r] = IDLE }

    :: d_step { RUNS(r) && ENTERS(r) && MAY_ENTER(r, WITH(r)) -> enter(r, WITH(r)); inside[r] = true }
    :: d_step { inside[r] && ENTERS(r) && !AWAITS(r) && MAY_LEAVE(r) -> inside[r] = false; learn_child(r); pc[r]++ }
    :: d_step { RUNS(r) && DOES(r) == INITIATE && MAY_ENTER(r, WITH(r)) -> enter(r, WITH(r)); pc[r]++ }
    :: d_step { RUNS(r) && (DOES(r) == WAIT || DOES(r) == ADOPT) && ALL_IN(r, WITH(r)) -> learn_child(r); pc[r]++ }
    :: d_step { RUNS(r) && DOES(r) == SEND -> flying[r * N + WITH(r)]++; pc[r]++ }
    :: d_step { RUNS(r) && DOES(r) == RECEIVED && CAN_FINISH(r) -> unblocked(r); pc[r]++ }
    STEPS_OF_WINDOWS(r)
    od
}

init {
    select(which : 0 .. CASES - 1);
    atomic {
        for (p : 0 .. N - 1) { signalled[p] = true };
        for (p : 0 .. N - 1) { run rank(p) };
        p = 0
    }
#ifndef DRIVER
    do
    :: d_step { requests < REQUESTS -> requests++; for (p : 0 .. N - 1) { signalled[p] = true } }
    :: requests == REQUESTS -> break
    od
#endif
}

#ifdef LIVE
ltl comes_to_an_end { <> (ended == N) }
#endif
