/* One-sided communication: R12 as it is built (settle_impl.h; coordinator.cc tells of windows, win_epoch.cc begins).
 * Part of settle.pml, for cases with windows.  Any communicator may be that of a window with one exclusive lock; one
 * window has post, start, complete and wait.  What is issued under locks and in access epochs is nothing to the
 * agreement, and left out; so are shared locks, and windows of one rank alone.
 *
 * Who waits inside is deaf.  A lock may also be granted after the call that asked for it (ASK): a rank that becomes aware
 * meanwhile waits for it in its next turn, deaf too.  All else that the machine is told of windows in each turn is
 * taken from the windows here: until then it only holds a rank at its gate that need not be.
 */

byte waiting[N];         /* by which id it has demanded before it went inside; 0: by none */
byte holds[N];           /* windows whose lock it has asked for and not given back */
byte unsure[N];          /* the one of which the lock need not have been granted, + 1; 0: none */
byte holder[G];          /* of the lock: a set of one rank, or of none */
bool awaits[N];          /* inside for that lock, in a turn of serving */
byte operations[N];      /* windows on which it has begun what their next fence completes */
bool accessing[N];       /* between start and complete */
byte posted[N];          /* for whom its side is open */
byte completed[N];       /* who has completed since it was opened */
#ifdef RESTS
hidden byte comes_to_rest;
#endif

/* By what a demand names that for which it is made: 0 in point-to-point, its lock, SIDE the target's side. */
#define LOCK_OF(g) ((g) + 1)
#define SIDE (G + 1)

#ifdef BIND_ALL
#define LOCK_BINDS(g, r) (DEMANDERS(r, LOCK_OF(g)) != 0)
#else
#define LOCK_BINDS(g, r) (DEMANDERS(r, LOCK_OF(g)) != 0 && HAS(holds[r], g))
#endif
#define BINDING(r) (DEMANDERS(r, 0) | DEMANDERS(r, SIDE))
#define BOUND(r) (BINDING(r) != 0 || SOME_COMM(LOCK_BINDS, r))
#ifdef NO_OBLIGATION
#define OBLIGED(r) (waiting[r] != 0)
#else
#define OBLIGED(r) (waiting[r] != 0 || accessing[r])
#endif

#ifdef BEGIN_WHEN_PASSIVE
#define MAY_BEGIN(r) true
#else
#define MAY_BEGIN(r) (phase[r] != GATED || ACTIVE(r))
#endif

#define AWAITS(r) awaits[r]
#define LOCKS(r) (DOES(r) == LOCK || DOES(r) == ASK)
#define STARTS(r) (DOES(r) == START || DOES(r) == START_EARLY)
#define OPEN(q, r, x) (!HAS(WITH(r), q) || HAS(posted[q], r))
#define ALL_OPEN(r) EVERY_RANK(OPEN, r, 0)
#define EXPOSURE_ENDS(r) (completed[r] == WITH(r))

/* What it is to tell in its next turn.  Before a turn in which it is deaf it demands nothing in point-to-point. */
#if defined(NO_FENCE_OWED) || defined(FORGET_OLD_OPERATIONS)
#define FENCE_UNTOLD(g, r) false
#else
#define FENCE_UNTOLD(g, r) (HAS(operations[r], g) && latest[AT(r, g)] <= entered[AT(r, g)])
#endif
#ifdef STAY_UNSURE
#define TELLS_OF_WINDOWS(r) SOME_COMM(FENCE_UNTOLD, r)
#else
#define TELLS_OF_WINDOWS(r) (unsure[r] != 0 || SOME_COMM(FENCE_UNTOLD, r))
#endif

/* At the cut. */
#define THROUGH_EPOCHS(q, x, y) (operations[q] == 0 && !accessing[q] && unsure[q] == 0)

inline demand_inside(r, peers, what) {
    for (p : 0 .. N - 1) {
        if :: p != r && HAS(peers, p) -> send_counted(r, p, what, waiting[r], 0) :: else fi
    }
}

inline wait_inside(r, id, peers) {
    assert(!decided);
    inside[r] = true;
    if
    :: IN_EPOCH(r) ->
        waiting[r] = id;
#ifndef NO_DEMAND_INSIDE
        demand_inside(r, peers, DEMAND)
#endif
    :: else
    fi
}

inline come_out(r, peers) {
    inside[r] = false;
    if
    :: waiting[r] != 0 ->
#if !defined(KEEP_INSIDE_DEMANDS) && !defined(NO_DEMAND_INSIDE)
        demand_inside(r, peers, RELEASE);
#endif
        waiting[r] = 0
    :: else
    fi
}

inline will_enter(r, g) {
    if
    :: latest[AT(r, g)] <= entered[AT(r, g)] ->
        latest[AT(r, g)] = entered[AT(r, g)] + 1;
        announce(r, g)
    :: else
    fi
}

inline tell_of_windows(r) {
    for (c : 0 .. G - 1) {
        if :: FENCE_UNTOLD(c, r) -> will_enter(r, c) :: else fi
    }
#ifndef STAY_UNSURE
    if
    :: unsure[r] != 0 -> awaits[r] = true; wait_inside(r, unsure[r], MEMBERS(unsure[r] - 1))
    :: else
    fi
#endif
}

/* A competitor for a lock that nobody needs for anything else begins nothing once all are aware. */
inline begin_lock(r) {
#ifdef RESTS
    comes_to_rest = (phase[r] != GATED);
    assert(comes_to_rest);
#endif
    wait_inside(r, LOCK_OF(WITH(r)), MEMBERS(WITH(r)))
}

inline begin_operation(r) {
    assert(!decided);
    operations[r] = operations[r] | (1 << WITH(r));
#ifndef NO_FENCE_OWED
    if :: IN_EPOCH(r) -> will_enter(r, WITH(r)) :: else fi
#endif
}

inline complete(r) {
    accessing[r] = false;
    for (p : 0 .. N - 1) {
        if
        :: HAS(WITH(r), p) -> posted[p] = posted[p] & ~(1 << r); completed[p] = completed[p] | (1 << r)
        :: else
        fi
    }
}

#define STEPS_OF_WINDOWS(r) \
    :: d_step { RUNS(r) && LOCKS(r) && MAY_BEGIN(r) -> begin_lock(r) } \
    :: d_step { inside[r] && !AWAITS(r) && LOCKS(r) && holder[WITH(r)] == 0 -> \
        holder[WITH(r)] = 1 << r; holds[r] = holds[r] | (1 << WITH(r)); come_out(r, MEMBERS(WITH(r))); pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == ASK && phase[r] == IDLE -> \
        assert(unsure[r] == 0); unsure[r] = WITH(r) + 1; holds[r] = holds[r] | (1 << WITH(r)); pc[r]++ } \
    :: d_step { unsure[r] != 0 && holder[unsure[r] - 1] == 0 -> holder[unsure[r] - 1] = 1 << r } \
    :: d_step { awaits[r] && holder[unsure[r] - 1] == 1 << r -> \
        come_out(r, MEMBERS(unsure[r] - 1)); awaits[r] = false; unsure[r] = 0 } \
    :: d_step { RUNS(r) && DOES(r) == UNLOCK && holder[WITH(r)] == 1 << r -> \
        holder[WITH(r)] = 0; holds[r] = holds[r] & ~(1 << WITH(r)); \
        unsure[r] = (unsure[r] == WITH(r) + 1 -> 0 : unsure[r]); pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == PUT && HAS(operations[r], WITH(r)) -> pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == PUT && !HAS(operations[r], WITH(r)) && MAY_BEGIN(r) -> begin_operation(r); pc[r]++ } \
    :: d_step { RUNS(r) && STARTS(r) && MAY_BEGIN(r) -> accessing[r] = true; wait_inside(r, SIDE, WITH(r)) } \
    :: d_step { inside[r] && !AWAITS(r) && STARTS(r) && (DOES(r) == START_EARLY || ALL_OPEN(r)) -> \
        come_out(r, WITH(r)); pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == COMPLETE && MAY_BEGIN(r) -> wait_inside(r, SIDE, WITH(r)) } \
    :: d_step { inside[r] && !AWAITS(r) && DOES(r) == COMPLETE && ALL_OPEN(r) -> \
        complete(r); come_out(r, WITH(r)); pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == POST -> posted[r] = WITH(r); completed[r] = 0; pc[r]++ } \
    :: d_step { RUNS(r) && DOES(r) == EXPOSURE && EXPOSURE_ENDS(r) -> unblocked(r); completed[r] = 0; pc[r]++ }
