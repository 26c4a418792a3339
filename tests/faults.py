#!/usr/bin/python3
"""Hurts jobs from outside while they are checkpointed or restored, and expects that they do not mind.

After every failure the job goes on, exactly the older checkpoints are valid, nothing is left behind, one sentence says
what happened, and a new checkpoint works and restores to the right result.  A restore that must not be made is refused
with status 3 and a sentence, and leaves the checkpoint as it was.  The tests are in tests/faults/.
"""

import argparse
import fnmatch
import os
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
for place in ("tests", "tests/lib", "tests/faults"):
    sys.path.insert(0, str(ROOT / place))
from launch import adopt_orphans, remove_stale_memory  # noqa: E402
from frame import TESTS, as_ordinary_user, run_test  # noqa: E402
import endings  # noqa: E402,F401
import limits  # noqa: E402,F401
import machines  # noqa: E402,F401
import refusals  # noqa: E402,F401
import requests_at_once  # noqa: E402,F401
import unserved  # noqa: E402,F401
import writing  # noqa: E402,F401


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", metavar="PATTERN", help="names or shell patterns, separated by commas", default="*")
    parser.add_argument("--seed", type=int, default=1, help="of random moments (default 1)")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for each phase (default 60)")
    parser.add_argument("--again", action="store_true",
                        help="repeat what has failed once more: machines are shared (the first outcome is printed)")
    parser.add_argument("--keep", action="store_true", help="keep the directories of tests that pass, too")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build tree (default build)")
    parser.add_argument("--directory", type=pathlib.Path, help="where tests keep their files (default build/faults)")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    options = parser.parse_args()
    options.native = False
    options.build = options.build.resolve()
    options.directory = (options.directory or options.build / "faults").resolve()
    return options


def repeat(name, options):
    build = "" if options.build == ROOT / "build" else f" --build {options.build}"
    return f"tests/faults.py --test {name} --seed {options.seed}{build} --keep"


def execute(name, options):
    if TESTS[name].ordinary_user and os.geteuid() == 0:
        command = [sys.executable, str(ROOT / "tests/faults.py"), "--test", name, "--seed", str(options.seed),
                   "--timeout", str(options.timeout), "--build", str(options.build)]
        return as_ordinary_user(name, options, command + (["--keep"] if options.keep else []))
    return run_test(name, options)


# More failures than these are no accident.
MOST_AGAIN = 4


def main():
    options = arguments()
    chosen = [name for name in TESTS if any(fnmatch.fnmatch(name, part) for part in options.test.split(","))]
    if options.list:
        print("\n".join(chosen))
        return 0
    if not chosen:
        raise SystemExit(f"no test is called {options.test}; --list names them")
    for needed in ("lib/libsckpt.so", "lib/sckpt", "tests/faults/steady", "tests/faults/endings", "cases/lib/libcase_plugin.so"):
        if not (options.build / needed).exists():
            raise SystemExit(f"no {options.build}/{needed}; run make check-faults")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    adopt_orphans()
    remove_stale_memory()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failed = []

    def run(number, name):
        state, reason, seconds = execute(name, options)
        counts[state] += 1
        failed.extend([name] if state == "failed" else [])
        word = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[state]
        print(f"{word} {number:3}/{len(chosen)} {name} {seconds:.2f} s" + (f": {reason}" if reason else ""), flush=True)
        if state == "failed":
            print(f"     kept: {options.directory}/{name}\n     repeat: {repeat(name, options)}", flush=True)

    for number, name in enumerate(chosen, 1):
        run(number, name)
    if options.again and len(failed) <= MOST_AGAIN:
        for number, name in enumerate(list(failed), 1):
            print(f"again: {name}", flush=True)
            counts["failed"] -= 1
            run(number, name)
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
