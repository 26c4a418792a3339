#!/usr/bin/python3
"""Runs the case corpus: every program of tests/cases, in every mode, on several numbers of ranks.

Modes (a program does not know in which it runs):
  plain     with the interceptor, no checkpoint
  continue  one checkpoint, then it goes on
  restart   one checkpoint, then every rank is killed and a new job restores it
  twice     restart, then the same again from the restored job
  chain     restarted twelve times; nothing may grow from generation to generation (only where NAME.desc asks for it)
  storm     ten checkpoints, three of them restored, at random moments (only where NAME.desc asks for it)
  refused   the checkpoint must be declined, for the reason that NAME.desc gives, and the program goes on unharmed
`--native` runs the programs without the interceptor, which proves the cases themselves.  A program that tells what it
has found out (tell() of testcase.h) is run natively in every mode too, before its outcome is decided: what is told
has to be the same.

tests/cases/NAME.desc (JSON, optional): "ranks" (the first is the main one; [2, 1, 4]), "modes", "kind" ("static", the
default: what is seen from outside must be the same afterwards; "busy": it changes by itself), "compare" (of maps,
files, descriptors, signals, timers, threads), "threads" (how many named app-...), "refused" (regular expression), "first" (ranks that a
request is signalled to some time before the others), "args", "env", "env_in_turn" (a list: more variables of the first
start, the second and so on, over again), "launcher" (words in front of the program, which the interceptor is not in),
"wrapper" (words in front of it which it is in), "spec" (instead of "on"), "asks"
(true: the checkpoints come by themselves, nobody requests them), "exit" (the exit code that mpirun has to end with, 0 where it is not given), "program" (of another case: NAME.desc stands alone),
"skip" (why the case is not run).  {build} is the build tree.
"""

import argparse
import concurrent.futures
import fnmatch
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/lib"))
from launch import CaseFailure, Job, adopt_orphans, remove_stale_memory  # noqa: E402
from observe import Picture, Size, named_threads  # noqa: E402

MODES = ("plain", "continue", "restart", "twice", "chain", "storm", "refused")
RESTARTS = {"restart": 1, "twice": 2, "chain": 12}
STORM = 10               # checkpoints of the mode
STORM_RESTARTS = {3, 6, 10}  # after these
ASPECTS = ["maps", "files", "descriptors", "signals", "timers", "threads"]


class Case:
    def __init__(self, source, build):
        self.name = source.stem
        path = source.with_suffix(".desc")
        text = json.loads(path.read_text().replace("{build}", str(build))) if path.exists() else {}
        self.program = source if source.suffix == ".py" else build / "cases" / text.pop("program", self.name)
        self.ranks = text.pop("ranks", [2, 1, 4])
        self.refused = text.pop("refused", None)
        self.modes = text.pop("modes", ["plain", "refused"] if self.refused else ["plain", "continue", "restart", "twice"])
        busy = text.pop("kind", "static") == "busy"
        self.compare = text.pop("compare", [] if busy else ASPECTS)
        self.threads = text.pop("threads", None)
        self.first = text.pop("first", [])
        self.arguments = text.pop("args", [])
        self.environment = text.pop("env", {})
        self.environment_in_turn = text.pop("env_in_turn", [{}])
        self.launcher = text.pop("launcher", [])
        self.wrapper = text.pop("wrapper", [])
        self.spec = text.pop("spec", "on")
        self.asks = text.pop("asks", False)
        self.exit = text.pop("exit", 0)
        self.skip = text.pop("skip", None)
        if text:
            raise SystemExit(f"{path}: unknown keys {', '.join(text)}")


class Run:
    """One case in one mode on one number of ranks."""

    def __init__(self, case, mode, ranks, options):
        self.case, self.mode, self.ranks, self.options = case, mode, ranks, options
        self.random = random.Random(f"{options.seed}/{case.name}/{mode}/{ranks}")
        self.directory = options.directory / f"{case.name}.{mode}.np{ranks}"
        self.step = self.directory / "ckpt"
        self.library = options.build / "lib"
        self.incarnation = 0
        self.requests = 0
        self.job = None

    def repeat(self):
        native = " --native" if self.options.native else ""
        build = "" if self.options.build == ROOT / "build" else f" --build {self.options.build}"
        return (f"tests/run.py --case {self.case.name} --mode {self.mode} --ranks {self.ranks} "
                f"--seed {self.options.seed}{native}{build} --keep")

    def start(self, generation=None):
        in_turn = self.case.environment_in_turn
        environment, preload = self.case.environment | in_turn[self.incarnation % len(in_turn)], None
        if not self.options.native:
            (self.step / f"r{self.incarnation}").mkdir(parents=True, exist_ok=True)
            preload = self.library / "libsckpt.so"
            environment |= {"SCKPT_DIR": str(self.step), "SCKPT_INCARNATION": str(self.incarnation), "SCKPT_SPEC": self.case.spec,
                            "SCKPT_LIBDIR": str(self.library), "SCKPT_CONTRACT": "1"}
            if generation:
                environment["SCKPT_RESTART"] = str(generation)
        self.job = Job(self.directory, self.incarnation, self.case.program, self.case.arguments, self.ranks,
                       environment, preload, self.options.timeout, self.case.launcher,
                       self.case.wrapper)

    def log_lines(self, since=0):
        try:
            return (self.step / "log").read_text().splitlines()[since:]
        except OSError:
            return []

    def generations(self):
        directory = self.step / f"r{self.incarnation}"
        return sorted((p for p in directory.iterdir() if re.fullmatch(r"\d{4,}", p.name)), key=lambda p: int(p.name))

    def request(self):
        self.requests += 1
        directory = self.step / f"r{self.incarnation}"
        temporary = directory / "request.new"
        temporary.write_text(f"id={self.requests}\nby=tests/run.py\n")
        temporary.rename(directory / "request")
        if self.case.first:
            self.job.signal_ranks(signal.SIGURG, self.case.first)
            time.sleep(self.random.uniform(0.05, 0.2))
        self.job.signal_ranks(signal.SIGURG, [rank for rank in range(self.ranks) if rank not in self.case.first])
        (self.directory / "requested").touch()

    def some_moment(self):
        time.sleep(self.random.uniform(0, 0.05))
        self.job.check_alive()

    def checkpoint(self):
        """Requests one and returns its generation once it is committed."""
        known, seen = set(self.generations()), len(self.log_lines())
        if not self.case.asks:
            self.request()

        def committed():
            new = [g for g in self.generations() if g not in known]
            if new:
                return new[-1]
            for line in self.log_lines(seen):
                if re.search(r" (declined|failed) ", line):
                    raise CaseFailure(f"no checkpoint: {line}")
            return None
        return self.job.await_alive(committed, "no generation was committed")

    def expect_refusal(self):
        seen = len(self.log_lines())
        self.request()

        def declined():
            if self.generations():
                raise CaseFailure("unexpected success: the checkpoint was committed, it should have been declined")
            for line in self.log_lines(seen):
                match = re.search(rf" declined request={self.requests}\b(.*)", line)
                if match:
                    return match.group(1)
                if " failed " in line:
                    raise CaseFailure(f"failed instead of being declined: {line}")
            return None
        reason = self.job.await_alive(declined, "the checkpoint was neither declined nor committed")
        if not re.search(self.case.refused, reason):
            raise CaseFailure(f"declined for another reason than /{self.case.refused}/: {reason}")

    def restart_point(self, generation):
        """Fences the incarnation that was killed and returns where to restore from, by the rule of production."""
        tool = self.library / "sckpt"
        if tool.exists():
            done = subprocess.run([tool, "restart-point", "--directory", self.step, "--incarnation",
                                   str(self.incarnation), "--ranks", str(self.ranks)], capture_output=True, text=True,
                                  timeout=self.options.timeout, check=False)
            if done.returncode != 0 or not done.stdout.strip():
                raise CaseFailure(f"sckpt restart-point found nothing (exit {done.returncode}): {done.stderr.strip()}")
            point = pathlib.Path(done.stdout.strip())
        else:
            old = self.step / f"r{self.incarnation - 1}"
            old.rename(old.with_name(old.name + ".closed"))
            point = old.with_name(old.name + ".closed") / generation.name
        if point.name != generation.name or point.parent.name != f"r{self.incarnation - 1}.closed":
            raise CaseFailure(f"restart point is {point}, should be {generation.name} of r{self.incarnation - 1}.closed")
        return point

    def restart(self, generation):
        self.some_moment()
        self.job.kill()
        if self.case.asks:  # others may have followed
            generation = self.generations()[-1]
        self.incarnation += 1
        point = self.restart_point(generation)
        seen = len(self.log_lines())
        self.start(point)

        def restored():
            ranks = {int(match.group(1)) for line in self.log_lines(seen)
                     if (match := re.search(rf" r{self.incarnation} \d+ restored rank (\d+)", line))}
            return len(ranks) == self.ranks
        self.job.await_alive(restored, "not all ranks were restored")

    def pictures(self):
        return {rank: Picture(pid, self.directory, rank, self.case.compare) for rank, pid in self.job.pids().items()}

    def compare(self, before):
        """A tick of ours may be in progress at any one look, so a difference counts only if it stays."""
        pids = self.job.pids()
        for rank, picture in before.items():
            deadline = time.monotonic() + 3
            while difference := picture.difference(pids[rank]):
                self.job.check_alive()
                if time.monotonic() > deadline:
                    raise CaseFailure(f"rank {rank}, seen from outside: {difference}")
                time.sleep(0.005)
        self.count_threads()

    def count_threads(self):
        for rank, pid in self.job.pids().items():
            if self.case.threads is not None and len(named_threads(pid)) != self.case.threads:
                raise CaseFailure(f"rank {rank} has threads {named_threads(pid)}, should have {self.case.threads}")

    def sizes(self, generation, first):
        """By rank.  As in compare(): growth since `first`, unless there is none yet, counts only if it stays."""
        deadline = time.monotonic() + 3
        while True:
            found = {rank: Size(pid, generation / f"rank{rank:05}.h5") for rank, pid in self.job.pids().items()}
            grown = first and any(size.growth(first[rank]) for rank, size in found.items())
            if not grown or time.monotonic() > deadline:
                return found
            self.job.check_alive()
            time.sleep(0.005)

    def expect_flat(self, sizes):
        """From the second generation on: the first is of a process that was never restored."""
        for number, later in enumerate(sizes[1:], 3):
            for rank, size in later.items():
                if grown := size.growth(sizes[0][rank]):
                    raise CaseFailure(f"rank {rank}, from the second to the generation number {number}: {grown}")

    def storm(self):
        for number in range(1, STORM + 1):
            generation = self.checkpoint()
            self.some_moment()
            if number in STORM_RESTARTS:
                self.restart(generation)

    def phases(self):
        self.start()
        self.job.await_ready()
        self.some_moment()
        self.count_threads()
        if self.mode != "plain":
            before = self.pictures()
            if self.mode == "refused":
                self.expect_refusal()
            elif self.mode == "storm":
                self.storm()
            else:
                generation = self.checkpoint()
            sizes = []
            for _ in range(RESTARTS.get(self.mode, 0)):
                if self.incarnation:
                    self.some_moment()
                    generation = self.checkpoint()
                    sizes.append(self.sizes(generation, sizes[0] if sizes else None))
                self.restart(generation)
            self.expect_flat(sizes)
            self.compare(before)
        (self.directory / "go").touch()
        self.job.await_end(self.case.exit)
        self.job.nothing_left()
        self.compare_with_native()

    def told(self):
        """{rank: lines} of what the program has found out about MPI."""
        return {rank: path.read_text(errors="replace").splitlines() for rank in range(self.ranks)
                if (path := self.directory / f"told.{rank}").exists()}

    def compare_with_native(self):
        told = self.told()
        if not told or self.options.native:
            return
        options = argparse.Namespace(**vars(self.options) | {"native": True, "directory": self.directory, "keep": True})
        native = Run(self.case, "plain", self.ranks, options)
        if reason := native.execute():
            raise CaseFailure(f"the native run to compare with failed: {reason}")
        for rank, wanted in native.told().items():
            for number, (is_line, should_be) in enumerate(itertools.zip_longest(told.get(rank, []), wanted), 1):
                if is_line != should_be:
                    raise CaseFailure(f"rank {rank} told in line {number}: {is_line!r}, natively {should_be!r}")

    def execute(self):
        """Returns None, or the sentence that says what failed."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        reason = None
        try:
            self.phases()
        except CaseFailure as failure:
            reason = str(failure)
        except (ProcessLookupError, FileNotFoundError) as error:
            reason = self.job.why_vanished(error) if self.job else str(error)
        finally:
            if self.job:
                if reason:
                    self.job.stacks()
                self.job.kill()
        if not reason and not self.options.keep:
            shutil.rmtree(self.directory)
        return reason


def execute(task):
    case, mode, ranks, options = task
    if case.skip:
        return "skipped", case.skip, 0.0
    run, began = Run(case, mode, ranks, options), time.monotonic()
    reason = run.execute()
    seconds = time.monotonic() - began
    if not reason:
        return "passed", "", seconds
    return "failed", f"{reason}\n     kept: {run.directory}\n     repeat: {run.repeat()}", seconds


def chosen(case, index, options):
    """(mode, ranks) pairs to run of a case."""
    if options.native:
        return [("plain", ranks) for ranks in options.ranks or case.ranks if ranks in case.ranks]
    modes = [mode for mode in options.mode or case.modes if mode in case.modes]
    if options.ranks or options.all:
        return [(mode, ranks) for mode in modes for ranks in options.ranks or case.ranks if ranks in case.ranks]
    others = case.ranks[1:] or case.ranks
    return [(mode, others[index % len(others)] if mode == "twice" else case.ranks[0]) for mode in modes]


def arguments():
    def words(text):
        return text.split(",")

    def numbers(text):
        return [int(word) for word in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", metavar="PATTERN", help="names or shell patterns, separated by commas", type=words)
    parser.add_argument("--mode", type=words, help="modes, separated by commas")
    parser.add_argument("--ranks", type=numbers, help="numbers of ranks, separated by commas")
    parser.add_argument("--all", action="store_true", help="every mode on every number of ranks")
    parser.add_argument("--native", action="store_true", help="without the interceptor")
    parser.add_argument("--seed", type=int, default=1, help="moments of requests and kills (default 1)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default 1)")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for each phase (default 60)")
    parser.add_argument("--again", action="store_true",
                        help="repeat what has failed once more, alone: machines are shared (the first outcome is printed)")
    parser.add_argument("--keep", action="store_true", help="keep the directories of runs that pass, too")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build tree (default build)")
    parser.add_argument("--directory", type=pathlib.Path, help="where runs keep their files (default build/runs)")
    options = parser.parse_args()
    for mode in options.mode or []:
        if mode not in MODES:
            parser.error(f"no mode {mode}; there are {', '.join(MODES)}")
    options.build = options.build.resolve()
    options.directory = (options.directory or options.build / "runs").resolve()
    return options


def tasks(options):
    files = list((ROOT / "tests/cases").iterdir())
    sources = [p for p in files if p.suffix in (".c", ".cc", ".f90", ".py")]
    sources += [p for p in files if p.suffix == ".desc" and p.stem not in {source.stem for source in sources}]
    sources.sort()
    cases = [Case(source, options.build) for source in sources]
    if options.case:
        cases = [c for c in cases if any(fnmatch.fnmatch(c.name, pattern) for pattern in options.case)]
    found = [(case, mode, ranks, options) for index, case in enumerate(cases)
             for mode, ranks in chosen(case, index, options)]
    if not found:
        raise SystemExit("nothing to run: no case, mode and number of ranks agrees with the arguments")
    missing = [case.name for case in cases if not case.program.exists()]
    if missing:
        raise SystemExit(f"not built: {', '.join(missing)}; run make cases")
    if not options.native and not (options.build / "lib/libsckpt.so").exists():
        raise SystemExit(f"no {options.build}/lib/libsckpt.so; run make, or use --native")
    return found


# More failures than these are no accident.
MOST_AGAIN = 8


def main():
    options = arguments()
    work = tasks(options)
    # Ends through the clean-up of the run in progress.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    adopt_orphans()
    remove_stale_memory()
    counts, results = {"passed": 0, "failed": 0, "skipped": 0}, []

    def record(number, task, outcome):
        (case, mode, ranks, _), (state, reason, seconds) = task, outcome
        counts[state] += 1
        results.append({"case": case.name, "mode": "native" if options.native else mode, "ranks": ranks,
                        "seed": options.seed, "outcome": state, "reason": reason, "seconds": round(seconds, 3)})
        word = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[state]
        print(f"{word} {number:4}/{len(work)} {case.name} {results[-1]['mode']} np{ranks} {seconds:.2f} s"
              + (f": {reason}" if reason else ""), flush=True)

    if options.jobs == 1:
        for number, task in enumerate(work, 1):
            record(number, task, execute(task))
    else:
        with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=adopt_orphans) as pool:
            pending = {pool.submit(execute, task): task for task in work}
            for number, future in enumerate(concurrent.futures.as_completed(pending), 1):
                record(number, pending[future], future.result())
    if options.again and counts["failed"] <= MOST_AGAIN:
        for number, result in enumerate([r for r in results if r["outcome"] == "failed"], 1):
            task = next(t for t in work if (t[0].name, t[2]) == (result["case"], result["ranks"])
                        and (options.native or t[1] == result["mode"]))
            print(f"again: {result['case']} {result['mode']} np{result['ranks']} failed: {result['reason']}", flush=True)
            counts["failed"] -= 1
            record(number, task, execute(task))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
