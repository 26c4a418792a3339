#!/usr/bin/python3
"""Measures what sckpt costs, each number with a native one from the same run.  See bench/README.md for the method.

bench/run.py [--part PART ...] [--json FILE] [--quick] [--check] [--noise]
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import calls
import checkpoint
import memory
import process
import program
import settle
from launch import BenchError, Setup

PARTS = {"calls": calls, "program": program, "process": process, "checkpoint": checkpoint, "memory": memory,
         "settle": settle}

BUSY = 0.5  # load average above which a result is doubtful: both cores are needed


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": os.uname().release, "load": list(os.getloadavg()),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def revision():
    """The commit that is measured, so that a kept result can be placed; None outside a git tree."""
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False,
                           cwd=pathlib.Path(__file__).parent)
    return found.stdout.strip() or None


def missed(row):
    """The sentence for a target that was not reached, or None."""
    if row.get("to_reach") and row["ratio"] > row["to_reach"]:
        return f"ratio {row['ratio']:.3f}, to reach: at most {row['to_reach']:.3g}"
    if row.get("speed_to_reach") and row["speed_ratio"] < row["speed_to_reach"]:
        return f"speed {row['speed_ratio']:.2f} of write(), to reach: at least {row['speed_to_reach']}"
    return None


def number(value):
    return "-" if value is None else f"{value:,.3f}" if value < 100 else f"{value:,.0f}"


def print_table(results, judge):
    """The targets are judged only in a run that measures."""
    print(f"{'measurement':<28} {'native':>9} {'sckpt':>9} {'unit':<8} {'ratio':>6}  {'quartiles':<13} {'best':>6}  "
          "to reach")
    for name, row in results.items():
        ratio, quartiles, best = "", "", ""
        if "ratio" in row:
            ratio, best = f"{row['ratio']:.3f}", f"{row['best']:.3f}"
            quartiles = "{:.3f}-{:.3f}".format(*row["quartiles"])
        target = ""
        if judge and row.get("to_reach"):
            target = f"{row['to_reach']:.3g}: {'missed' if missed(row) else 'reached'}"
        if judge and row.get("speed_to_reach"):
            target = (f"speed {row['speed_to_reach']} of write(), is {row['speed_ratio']:.2f}: "
                      f"{'missed' if missed(row) else 'reached'}")
        if "difference" in row:
            target = f"difference {row['difference']:+.1f} {row['unit']}"
        print(f"{name:<28} {number(row.get('native')):>9} {number(row['sckpt']):>9} {row['unit']:<8} {ratio:>6}  "
              f"{quartiles:<13} {best:>6}  {target}".rstrip())


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="what to measure (default: everything)")
    parser.add_argument("--build", default="build", help="build directory (default: build)")
    parser.add_argument("--directory", help="where to write checkpoints and outputs (default: the build directory)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of native and sckpt runs (default: 7)")
    parser.add_argument("--repetitions", type=int, default=3, help="per benchmark and run, fastest counts (default: 3)")
    parser.add_argument("--min-time", type=float, default=0.1, help="seconds of a repetition (default: 0.1)")
    parser.add_argument("--lammps-steps", type=int, default=1000, help="time steps of a LAMMPS run (default: 1000)")
    parser.add_argument("--mib", type=int, default=256, help="MiB per rank to checkpoint (default: 256)")
    parser.add_argument("--mappings", type=int, default=0,
                        help="mappings of one page more per rank to checkpoint (default: none)")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it works, measures nothing")
    parser.add_argument("--noise", action="store_true",
                        help="native on both sides: shows the ratios that noise alone makes on this machine")
    parser.add_argument("--json", metavar="FILE", help="write the results, samples included; - is standard output")
    parser.add_argument("--check", action="store_true", help="exit 1 when something to reach was not reached")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.quick:
        options.rounds, options.repetitions, options.min_time = 1, 1, 0.02
        options.lammps_steps, options.mib = 50, 16
    return options


def main(arguments):
    options = parse(arguments)
    options.progress = lambda text: print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)
    # Open MPI asks for both when root runs mpirun's relatives, for example a singleton.
    os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    parent = pathlib.Path(options.directory or options.build)
    parent.mkdir(parents=True, exist_ok=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    setup = Setup(options.build, directory)
    if os.getloadavg()[0] > BUSY:
        print(f"bench: warning: load average {os.getloadavg()[0]:.1f}: other programs disturb what is measured",
              file=sys.stderr)
    results = {}
    try:
        for part in options.part or PARTS:
            results.update(PARTS[part].measure(setup, options))
    except (BenchError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench: error: {error}\nbench: files are kept in {directory}", file=sys.stderr)
        return 2
    shutil.rmtree(directory)
    judge = not options.noise and not options.quick
    if options.json != "-":
        print_table(results, judge)
        for part in options.part or PARTS:
            if hasattr(PARTS[part], "plot"):
                print(*PARTS[part].plot(results), sep="\n")
    if options.json:
        text = json.dumps({"machine": machine(), "revision": revision(), "noise": options.noise, "quick": options.quick,
                           "results": results},
                          indent=1) + "\n"
        if options.json == "-":
            print(text, end="")
        else:
            pathlib.Path(options.json).write_text(text)
    failures = [f"{name}: {reason}" for name, row in results.items() if judge and (reason := missed(row))]
    for failure in failures:
        print(f"bench: missed: {failure}", file=sys.stderr)
    return 1 if failures and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
