"""The cases of the model, and the header by which settle.pml gets them.

A case is communicators (the ranks of each) and a program per rank, in the notation of the unit tests (settle_sim.h):
B0 blocking and C0 early-returning collective on communicator 0, I0 initiate, W0 wait for the last initiated, S2 send to
rank 2, R2 receive from it, Y2 synchronous send, A013 receive from any of ranks 0, 1 and 3; N1: a blocking collective
on communicator 1 by which its members create the last communicator; J1: wait for the last initiated, which creates it.

Of windows: L0 ask for the exclusive lock of communicator 0's and get it, K0 the same in a lower half that need not wait
until it is granted, U0 give it back; P0 an operation behind a fence, F0 the fence; T12 start with ranks 1 and 2 as
targets, V12 the same without waiting for them, Z complete; O03 post for ranks 0 and 3, X wait until they have completed.
"""

import itertools
import random

CODES = {name: code for code, name in enumerate(
    ["END", "BLOCKING", "EARLY", "CREATE", "INITIATE", "WAIT", "SEND", "RECEIVE", "RECEIVE_ANY", "RECEIVED",
     "ADOPT", "LOCK", "ASK", "UNLOCK", "PUT", "FENCE", "START", "START_EARLY", "COMPLETE", "POST", "EXPOSURE"])}
LETTERS = {"B": "BLOCKING", "C": "EARLY", "N": "CREATE", "I": "INITIATE", "W": "WAIT", "S": "SEND", "R": "RECEIVE",
           "A": "RECEIVE_ANY", "J": "ADOPT", "L": "LOCK", "K": "ASK", "U": "UNLOCK", "P": "PUT", "F": "FENCE",
           "T": "START", "V": "START_EARLY", "Z": "COMPLETE", "O": "POST", "X": "EXPOSURE"}
OF_WINDOWS = set("LKUPFTVZOX")
OF_SETS = set("ATVO")  # of ranks


class Case:
    def __init__(self, comms, programs):
        self.comms = [sorted(members) for members in comms]
        self.programs = [program.split() if isinstance(program, str) else list(program) for program in programs]

    @property
    def creates(self):
        return any(op[0] in "NJ" for program in self.programs for op in program)

    @property
    def has_windows(self):
        return any(op[0] in OF_WINDOWS for program in self.programs for op in program)

    def permuted(self, roles):
        """Rank r in the role of rank roles[r]."""
        rank_of = {role: rank for rank, role in enumerate(roles)}

        def renamed(op):
            if op[0] in "SRY" or op[0] in OF_SETS:
                return op[0] + "".join(sorted(str(rank_of[int(digit)]) for digit in op[1:]))
            return op
        return Case([[rank_of[member] for member in members] for members in self.comms],
                    [[renamed(op) for op in self.programs[role]] for role in roles])

    def coded(self, rank):
        codes = []
        epoch = {"Z": 0, "X": 0}  # with whom: as at its start
        for op in self.programs[rank]:
            if op[0] == "Y":  # posted, then waited for
                codes += [CODES["SEND"] << 5 | int(op[1:]), CODES["RECEIVED"] << 5 | int(op[1:])]
            elif op[0] in OF_SETS:
                codes.append(CODES[LETTERS[op[0]]] << 5 | sum(1 << int(digit) for digit in op[1:]))
                if op[0] in "TVO":
                    epoch["X" if op[0] == "O" else "Z"] = codes[-1] & 31
            elif op[0] in epoch:
                codes.append(CODES[LETTERS[op[0]]] << 5 | epoch[op[0]])
            else:
                codes.append(CODES[LETTERS[op[0]]] << 5 | int(op[1:]))
        return codes + [CODES["END"]]


def all_roles(case):
    return [case.permuted(roles) for roles in itertools.permutations(range(len(case.programs)))]


def overlay(members, ranks):
    """Sets of neighbours by rank: tree::overlay_neighbours of mpi_coord/tree.h."""
    found = [0] * ranks
    for position in range(1, len(members)):
        one, other = members[position], members[(position - 1) // 2]
        found[one] |= 1 << other
        found[other] |= 1 << one
    return found


def header(cases, capacity=6):
    """case.h of settle.pml.  All cases have as many ranks and communicators as the first."""
    ranks, comms = len(cases[0].programs), len(cases[0].comms)
    coded = [[case.coded(rank) for rank in range(ranks)] for case in cases]
    length = max(len(codes) for case in coded for codes in case)
    children = [sum(1 << child for child in range(1, ranks) if child & (child - 1) == rank) for rank in range(ranks)]
    lines = [f"#define N {ranks}", f"#define G {comms}", f"#define CASES {len(cases)}", f"#define LENGTH {length}",
             f"#define CAPACITY {capacity}"]
    lines += [f"#define {name} {code}" for name, code in CODES.items()]
    lines.append(f"#define CHILD {comms - 1 if cases[0].creates else comms}")
    windows = any(case.has_windows for case in cases)
    lines += ["#define WINDOWS"] if windows else []
    lines.append(f"#define IDS {comms + 2 if windows else 1}")

    def joined(operator, count, form):
        return f" {operator} ".join(form.format(i) for i in range(count))
    lines += [
        f"#define SOME_RANK(test, x, y) ({joined('||', ranks, 'test({}, x, y)')})",
        f"#define EVERY_RANK(test, x, y) ({joined('&&', ranks, 'test({}, x, y)')})",
        f"#define SOME_COMM(test, x) ({joined('||', comms, 'test({}, x)')})",
        f"#define EVERY_COMM(test, x) ({joined('&&', comms, 'test({}, x)')})",
        f"#define EACH_RANK(use) {joined('', ranks, 'use({})')}",
    ]

    def table(kind, name, values):
        lines.append(f"hidden {kind} {name}[{len(values)}] = {{ {', '.join(map(str, values))} }};")
    table("byte", "children", children)
    table("byte", "child_count", [bin(mask).count("1") for mask in children])
    table("byte", "members", [sum(1 << member for member in members) for case in cases for members in case.comms])
    table("byte", "first", [members[0] for case in cases for members in case.comms])
    table("byte", "neighbours", [mask for case in cases for members in case.comms for mask in overlay(members, ranks)])
    table("short", "program", [code for case in coded for codes in case for code in codes + [0] * (length - len(codes))])
    return "\n".join(lines) + "\n"


def random_case(seed, comms, operations):
    """A correct program: global operations in one order, cut into the ranks' own."""
    generator = random.Random(seed)
    ranks = 4
    programs, pending = [[] for _ in range(ranks)], [set() for _ in range(ranks)]
    for _ in range(operations):
        dice = generator.random()
        comm = generator.randrange(len(comms))
        if dice < 0.35:
            kind = generator.choice("BBC")
            for member in comms[comm]:
                programs[member].append(f"{kind}{comm}")
        elif dice < 0.6:
            for member in comms[comm]:
                programs[member].append(f"I{comm}")
                pending[member].add(comm)
        else:
            source, target = generator.sample(range(ranks), 2)
            programs[source].append(generator.choice("SSY") + str(target))
            programs[target].append(f"R{source}")
        for rank in range(ranks):
            for started in sorted(pending[rank]):
                if generator.random() < 0.3:
                    programs[rank].append(f"W{started}")
                    pending[rank].discard(started)
    for rank in range(ranks):
        programs[rank] += [f"W{started}" for started in sorted(pending[rank])]
    return Case(comms, programs)


def random_windows(seed, comms, operations):
    """The same with windows: all that one waits for is earlier in the order, except a lock, which depends on nothing."""
    generator = random.Random(seed)
    ranks = 4
    programs = [[] for _ in range(ranks)]
    for _ in range(operations):
        comm = generator.randrange(len(comms))
        members = generator.sample(comms[comm], len(comms[comm]))
        kind = generator.choice("BSFFLLTT")
        if kind == "B":
            for member in members:
                programs[member].append(f"B{comm}")
        elif kind == "S":
            programs[members[0]].append(f"S{members[1]}")
            programs[members[1]].append(f"R{members[0]}")
        elif kind == "F":
            for place, member in enumerate(members):
                programs[member] += [f"P{comm}"] * (place == 0 or generator.random() < 0.4) + [f"F{comm}"]
        elif kind == "L":
            for member in members[:2]:
                programs[member] += [generator.choice("LLK") + f"{comm}", f"U{comm}"]
        else:
            origin, targets = members[0], sorted(members[1:generator.choice((2, 3))])
            for target in targets:
                programs[target].append(f"O{origin}")
            programs[origin] += [generator.choice("TV") + "".join(map(str, targets)), "Z"]
            for target in targets:
                programs[target].append("X")
    return Case(comms, programs)


# Rank 0 is inside {0,1} and waits for 1; 1 waits for a message of 2; 2 has to pass {2,3} first.
PROBLEM = Case([[0, 1], [2, 3], [0, 1, 2, 3]], ["B0", "R2 B0", "B1 S1", "B1"])
# The same with a receive from anybody, and a synchronous send.
ANYBODY = Case([[0, 1], [2, 3], [0, 1, 2, 3]], ["B0", "A023 B0", "B1 Y1", "B1"])
# The same between two collectives of the world, so that it need not be met at the start.
LONG_PROBLEM = Case([[0, 1], [2, 3], [0, 1, 2, 3]], ["C2 B0 B2", "C2 R2 B0 B2", "C2 B1 S1 B2", "C2 B1 B2"])
# A chain of non-blocking and blocking collectives and messages.
CHAIN = Case([[0, 1], [1, 2], [2, 3]], ["I0 R3 W0 S1", "B1 I0 W0 R0", "I2 B1 W2", "S0 I2 W2"])
TWO_BARRIERS = Case([[0, 1], [2, 3], [0, 3]], ["B0 B0 B2", "B0 B0", "B1", "B1 B2"])
# Rank 1 asks server 0 on its way to a collective that 3 is inside; the server waits for a next request that nobody makes.
SERVER = Case([[1, 3], [2, 3], [0, 1, 2, 3]], ["A12 S1 A12", "S0 R0 B0", "B1", "B1 B0"])
# Ranks 0 and 1 wait for requests, of each other too, that nobody makes; 2 may demand one and be served by 3.
IDLE_SERVERS = Case([[0, 1], [2, 3], [0, 1, 2, 3]], ["A12", "A02", "A03 B1", "S2 B1"])
# Rank 2, which relays to 3, is inside {1,2}, which waits for 3, which is at its gate.
DEAF_RELAY = Case([[1, 2], [0, 3], [0, 2]], ["I2 B1 W2", "R3 B0", "B0 I2 W2", "B1 S1"])
# Communicator {1,2,3} is created out of the world and used at once by some.
CREATION = Case([[0, 1, 2, 3], [0, 1], [1, 2, 3]], ["N0", "N0 B2", "N0 B2", "N0 I2 W2"])
SLOW_CREATION = Case([[0, 1, 2, 3], [0, 1], [1, 2, 3]], ["I0 B1 J0", "I0 B1 J0 B2", "I0 J0 B2", "I0 J0 B2"])
# CE6: a debt of before the request, five ranks.
OLD_DEBT = Case([[1, 2], [2, 3], [0, 4]], ["B2 S3", "B0", "I1 W1 B0", "R0 I1 W1", "B2"])
# As little as has a collective across the tree, for runs of two epochs.
SHORT = Case([[0, 1], [2, 3], [0, 3]], ["B0", "B0", "B1", "B1"])
# A holder of the window's lock has to meet rank 1 before it gives it back; 2 competes.
HELD_LOCK = Case([[0, 1, 2], [0, 1]], ["L0 B1 U0", "B1", "L0 U0"])
# The same where a lock that has been asked for need not have been granted.
ASKED_LOCK = Case([[0, 1, 2], [0, 1]], ["K0 B1 U0", "B1", "K0 U0"])
# Locks, again and again, and nothing else.
COMPETITION = Case([[0, 1, 2], [0, 1]], ["L0 U0 L0 U0", "L0 U0 L0 U0", ""])
# The holder waits for a message of 3, which has to meet 2 first.
LOCK_PROBLEM = Case([[0, 1, 2], [2, 3]], ["L0 R3 U0", "L0 U0", "B1", "B1 S0"])
FENCES = Case([[0, 1, 2], [0, 1]], ["P0 F0", "F0", "P0 F0"])
# The same, with a message on the way to the fence.
FENCE_PROBLEM = Case([[0, 1, 2, 3], [0, 1], [2, 3]], ["P0 F0", "P0 F0", "P0 S3 F0", "R2 F0"])
# Rank 1 has to meet 2 before it opens its side, or before it waits for the end of what it has opened.
ACCESS = Case([[0, 1, 2], [1, 2]], ["T1 Z", "B1 O0 X", "B1"])
EXPOSURE = Case([[0, 1, 2], [1, 2]], ["V1 Z", "O0 X B1", "B1"])
# The first, where 2 waits for a message as well.
ACCESS_PROBLEM = Case([[0, 1, 2, 3], [1, 2], [2, 3]], ["T1 Z", "B1 O0 X", "B1 R3", "S2"])
# One round of each kind, for runs of two epochs.
SHORT_WINDOWS = [Case([[0, 1, 2], [0, 1]], programs) for programs in (
    ["T1 Z", "O0 X", ""], ["P1 F1", "F1", ""], ["L0 U0", "L0 U0", ""])]
