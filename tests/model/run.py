#!/usr/bin/env python3
"""Has spin check the model of SETTLE (settle.pml): every state of every case, and that broken rules are noticed.

tests/model/run.py [--quick] [--check NAME ...] [--jobs N] [--build DIR] [--json FILE]

A check holds when spin has seen all states and found no error, or, of a broken rule, has found the error that is
expected of it.  Ends with a line `N passed, N failed`; exit status 1 when one failed.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import cases
from cases import Case, all_roles, random_case

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_MIB = 4000  # of one check
DEPTH = 20_000     # steps of a run; spin says so if that is too few

# What spin says of an error, and what that means here.
HANG, BAD_CUT, LATE_ENTRY = "a rank hangs", "the cut is bad", "a collective is entered after STOP"
NO_REST = "ranks keep each other going"
MEANINGS = [("invalid end state", HANG), ("q_full", "a channel is too short: raise its capacity"),
            ("comes_to_rest", NO_REST), ("decided", LATE_ENTRY), ("acceptance cycle", "a fair run has no end"),
            ("assertion violated", BAD_CUT)]


@dataclasses.dataclass
class Check:
    name: str
    cases: list[Case]
    flags: str = ""
    finds: tuple[str, ...] = ()  # a broken rule: one of these
    capacity: int = 6
    quick: bool = False  # part of `make test`

    @property
    def live(self):
        return "LIVE" in self.flags.split()


CHAIN_OF_PAIRS = [[0, 1], [1, 2], [2, 3]]
TRIANGLES = [[0, 1, 2], [1, 2, 3], [0, 3]]
WITH_WORLD = [[0, 1, 2, 3], [0, 1], [1, 2, 3]]


def random_cases(comms, operations, seeds):
    return [random_case(seed, comms, operations) for seed in seeds]


WINDOWS = [cases.HELD_LOCK, cases.FENCES, cases.ACCESS, cases.EXPOSURE]


def in_all_roles(some):
    return [permuted for case in some for permuted in all_roles(case)]


SOUND = [
    # All assignments of roles to ranks, which permutes the global tree too.
    Check("problem", [cases.PROBLEM], quick=True),
    Check("problem-ends", [cases.PROBLEM], "LIVE", quick=True),
    Check("problem-in-all-roles", all_roles(cases.PROBLEM)),
    Check("problem-in-all-roles-ends", all_roles(cases.PROBLEM), "LIVE"),
    Check("anybody", all_roles(cases.ANYBODY)[::8]),
    Check("chain", [cases.CHAIN]),
    Check("server", [cases.SERVER], capacity=8, quick=True),
    Check("two-barriers", [cases.TWO_BARRIERS], quick=True),
    Check("creation", [cases.CREATION]),
    Check("random-pairs", random_cases(CHAIN_OF_PAIRS, 3, range(8))),
    Check("random-triangles", random_cases(TRIANGLES, 2, range(4))),
    Check("random-world", random_cases(WITH_WORLD, 3, range(2))),
    Check("give-up", [cases.PROBLEM], "GIVE_UP"),
    Check("give-up-ends", [cases.PROBLEM], "GIVE_UP LIVE"),
    Check("give-up-and-again", [cases.SHORT], "GIVE_UP DRIVER REQUESTS=2"),
    Check("two-requests", [cases.SHORT], "REQUESTS=2"),
    # One-sided communication.
    Check("windows", WINDOWS, capacity=8, quick=True),
    Check("windows-end", WINDOWS, "LIVE", capacity=8),
    Check("windows-in-all-roles", in_all_roles(WINDOWS), capacity=8),
    Check("competition", [cases.COMPETITION], "RESTS", capacity=8),
    Check("asked-lock", [cases.ASKED_LOCK], capacity=8),
    Check("lock-problem", [cases.LOCK_PROBLEM], capacity=8),
    Check("fence-problem", [cases.FENCE_PROBLEM], capacity=8),
    Check("access-problem", [cases.ACCESS_PROBLEM], capacity=8),
    Check("windows-give-up", [cases.FENCES, cases.ACCESS, cases.HELD_LOCK], "GIVE_UP", capacity=8),
    Check("windows-give-up-and-again", cases.SHORT_WINDOWS, "GIVE_UP DRIVER REQUESTS=2", capacity=8),
    Check("windows-two-requests", cases.SHORT_WINDOWS, "REQUESTS=2", capacity=8),
]
BROKEN = [
    Check("gate-before-go", [cases.TWO_BARRIERS], "GATE_BEFORE_GO", (HANG,), quick=True),
    Check("no-demand", [cases.PROBLEM.permuted((2, 1, 3, 0))], "NO_DEMAND", (HANG,), quick=True),
    Check("announce-late", [cases.PROBLEM], "ANNOUNCE_LATE", (HANG,), quick=True),
    Check("relay-by-global-tree", [cases.PROBLEM.permuted((3, 1, 0, 2))], "RELAY_BY_GLOBAL_TREE", (HANG,), quick=True),
    Check("gate-those-who-owe", [cases.CHAIN], "GATE_THOSE_WHO_OWE", (HANG,)),
    Check("no-first-announcement", [cases.OLD_DEBT], "NO_FIRST_ANNOUNCEMENT", (HANG, BAD_CUT)),
    Check("stop-after-first-wave", [cases.LONG_PROBLEM], "STOP_AFTER_FIRST_WAVE", (BAD_CUT, LATE_ENTRY), quick=True),
    Check("stop-after-equal-sums", [cases.LONG_PROBLEM], "STOP_AFTER_EQUAL_SUMS", (BAD_CUT, LATE_ENTRY), quick=True),
    Check("drop-unknown-raise", [cases.SLOW_CREATION], "DROP_UNKNOWN_RAISE", (HANG, BAD_CUT), quick=True),
    Check("abandon-down-the-tree", [cases.DEAF_RELAY], "ABANDON_DOWN_THE_TREE GIVE_UP", (HANG,)),
    Check("leave-stale-ready", [cases.SHORT], "LEAVE_STALE_READY REQUESTS=2", (HANG,), quick=True),
    Check("keep-demands", [cases.IDLE_SERVERS], "KEEP_DEMANDS", (HANG,), quick=True),
    Check("cross-demands", [cases.IDLE_SERVERS], "CROSS_DEMANDS", (HANG,), quick=True),
    Check("no-demand-inside-lock", [cases.HELD_LOCK], "NO_DEMAND_INSIDE", (HANG,)),
    Check("no-demand-inside-start", all_roles(cases.ACCESS), "NO_DEMAND_INSIDE", (HANG,), capacity=8, quick=True),
    Check("no-demand-at-exposure", [cases.EXPOSURE], "NO_DEMAND", (HANG,), capacity=8),
    Check("keep-inside-demands", [cases.ACCESS], "KEEP_INSIDE_DEMANDS", (HANG,)),
    Check("bind-all", [cases.COMPETITION], "BIND_ALL RESTS", (NO_REST,), capacity=8, quick=True),
    Check("bind-holders-of-now", [cases.HELD_LOCK], "BIND_HOLDERS_OF_NOW", (HANG,)),
    Check("begin-when-passive", [cases.FENCES], "BEGIN_WHEN_PASSIVE", (BAD_CUT, LATE_ENTRY), quick=True),
    Check("begin-lock-when-passive", [cases.HELD_LOCK], "BEGIN_WHEN_PASSIVE", (BAD_CUT, LATE_ENTRY)),
    Check("begin-start-when-passive", all_roles(cases.ACCESS), "BEGIN_WHEN_PASSIVE", (BAD_CUT, LATE_ENTRY), capacity=8),
    Check("no-obligation", [cases.ACCESS], "NO_OBLIGATION", (BAD_CUT,), quick=True),
    Check("no-fence-owed", [cases.FENCES], "NO_FENCE_OWED", (BAD_CUT,), quick=True),
    Check("forget-old-operations", [cases.FENCES], "FORGET_OLD_OPERATIONS", (BAD_CUT,)),
    Check("stay-unsure", [cases.ASKED_LOCK], "STAY_UNSURE", (BAD_CUT,), quick=True),
]
CHECKS = SOUND + BROKEN


class CheckFailure(Exception):
    """What went wrong, in one sentence."""


def command(words, directory, seconds, what):
    try:
        done = subprocess.run(words, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise CheckFailure(f"{what} did not end within {seconds} s") from None
    except FileNotFoundError:
        raise CheckFailure(f"{words[0]} is missing: run `make deps`") from None
    return done.returncode, done.stdout


def verifier(check, directory):
    """Builds the program by which spin searches this check."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for part in HERE.glob("*.pml"):
        shutil.copy(part, directory)
    (directory / "case.h").write_text(cases.header(check.cases, check.capacity))
    flags = [f"-D{flag}" for flag in check.flags.split()]
    status, output = command(["spin", *flags, "-a", "settle.pml"], directory, 60, "spin")
    if status != 0 or not (directory / "pan.c").exists():
        raise CheckFailure(f"spin does not take the model: {output.strip()[:300]}")
    # No partial order reduction: all steps touch what is global, so that it finds nothing.
    kind = ["-DNFAIR=3"] if check.live else ["-DSAFETY"]
    # What the compiler gains in a search it has to spend before.
    optimization = "-O0" if check.finds else "-O1" if check.quick else "-O2"
    status, output = command(["gcc", optimization, "-w", "-DCOLLAPSE", "-DNOREDUCE",
                              f"-DMEMLIM={MEMORY_MIB}", *kind, "-o", "pan", "pan.c"], directory, 120, "gcc")
    if status != 0:
        raise CheckFailure(f"gcc does not take what spin made: {output.strip()[:300]}")
    return ["./pan", "-n", f"-m{DEPTH}", *(["-a", "-f"] if check.live else [])]


def search(check, directory, seconds):
    """(what was found or None, number of states); CheckFailure unless the search was complete or found something."""
    status, output = command(verifier(check, directory), directory, seconds, "the search")
    states = re.search(r"^\s*(\d+) states, stored", output, re.M)
    count = int(states[1]) if states else 0
    error = re.search(r"^pan:1: (.*)$", output, re.M)
    if error:
        for text, meaning in MEANINGS:
            if text in error[1]:
                return meaning, count
        raise CheckFailure(f"an error of a kind that is not known here: {error[1]}")
    if status != 0 or not re.search(r"errors: 0$", output, re.M) or re.search(
            r"not completed|out of memory|too small", output):
        raise CheckFailure(f"the search is not complete after {count:,} states: {output.strip()[:300]}")
    return None, count


def run(check, build, seconds):
    """What came of it: name, passed, states, text, seconds."""
    begun = time.monotonic()
    directory = build / "model" / check.name
    states = 0
    try:
        found, states = search(check, directory, seconds)
        expected = " or ".join(check.finds) or "nothing"
        passed = found in check.finds if check.finds else found is None
        text = f"{states:,} states, found: {found or 'nothing'}" + ("" if passed else f"; expected: {expected}")
        if not passed and found:
            text += f" (cd {directory} && spin -t -p -g settle.pml)"
    except CheckFailure as failure:
        passed, text = False, str(failure)
    if passed:
        shutil.rmtree(directory)
    return {"name": check.name, "passed": passed, "states": states, "text": text,
            "seconds": round(time.monotonic() - begun, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", type=pathlib.Path, help="build directory (default: build)")
    parser.add_argument("--check", action="append", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--quick", action="store_true", help="what takes seconds, as in `make test`")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the results to FILE")
    parser.add_argument("--list", action="store_true", help="names of the checks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at the same time (default: one per core)")
    parser.add_argument("--timeout", type=int, default=900, help="seconds of one search (default: 900)")
    options = parser.parse_args()
    if options.list:
        print("\n".join(check.name for check in CHECKS))
        return 0
    unknown = set(options.check or ()) - {check.name for check in CHECKS}
    if unknown:
        parser.error(f"no such check: {', '.join(sorted(unknown))}; --list names them")
    chosen = [check for check in CHECKS if not options.check or check.name in options.check]
    if options.quick:
        chosen = [check for check in chosen if check.quick]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run, check, options.build.resolve(), options.timeout) for check in chosen]
        for future in concurrent.futures.as_completed(running):
            result = future.result()
            results[result["name"]] = result
            print(f"{'ok  ' if result['passed'] else 'FAIL'} {len(results):>3}/{len(chosen)} {result['name']} "
                  f"{result['seconds']} s: {result['text']}", flush=True)
    failed = sum(not result["passed"] for result in results.values())
    if options.json:
        options.json.write_text(json.dumps(list(results.values()), indent=1) + "\n")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
