"""What every test of failures shares: one job of tests/faults/steady.c that can be checkpointed, hurt and looked at.

A test is a function of a FaultRun.  Almost all have the same form: take a checkpoint, let another one fail, see that
nothing has changed (unharmed), and let the job prove that it is still whole (prove).
"""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import types

from launch import CaseFailure, await_that, descendants
from run import Run

TESTS = {}


class Skip(Exception):
    """Why a test cannot run here."""


def test(function=None, *, ordinary_user=False):
    """Registers a test.  ordinary_user: not as root, whom limits and permissions do not bind."""
    def register(chosen):
        TESTS[chosen.__name__] = chosen
        chosen.ordinary_user = ordinary_user
        return chosen
    return register(function) if function else register


def check(condition, sentence):
    if not condition:
        raise CaseFailure(sentence)


HOLDING_WRITER = """#!/bin/sh
# Stops itself before it becomes the writer, for as long as the test wants.
[ -e {hold} ] && kill -STOP $$
exec {writer} "$@"
"""


class FaultRun(Run):
    """A job on `ranks` ranks with a library directory of its own, in which things can be missing or replaced."""

    def __init__(self, name, options, directory=None):
        case = types.SimpleNamespace(name=name, program=options.build / "tests/faults/steady", arguments=["8"],
                                     environment={}, first=[], compare=[], threads=None, environment_in_turn=[{}],
                                     launcher=[], wrapper=[], spec="on", asks=False)
        super().__init__(case, "faults", 2, options)
        self.directory = directory or options.directory / name
        self.step = self.directory / "ckpt"
        self.directory.mkdir(parents=True)
        self.library = self.directory / "lib"
        self.library.mkdir()
        for program in (options.build / "lib").iterdir():
            (self.library / program.name).symlink_to(program)
        self.mounted = False

    # --- the job

    def begin(self, arguments=("8",), ranks=2, checkpoints=1):
        """Starts the job and takes the first checkpoints; returns the generations that are valid now."""
        self.case.arguments, self.ranks = [str(word) for word in arguments], ranks
        self.start()
        self.job.await_ready()
        for _ in range(checkpoints):
            self.checkpoint()
        return self.generations()

    def output(self):
        return self.job.output.read_text(errors="replace")

    def write_request(self):
        """The first half of request()."""
        self.requests += 1
        directory = self.step / f"r{self.incarnation}"
        directory.mkdir(parents=True, exist_ok=True)
        temporary = directory / "request.new"
        temporary.write_text(f"id={self.requests}\nby=tests/faults.py\n")
        temporary.rename(directory / "request")

    def signal_all(self):
        self.job.signal_ranks(signal.SIGURG, range(self.ranks))

    # --- what it is doing

    def helpers(self, name):
        """{rank: pid} of the living helpers of the job called so: a writer says its rank, a snapshot is a rank's child."""
        ranks = {pid: rank for rank, pid in self.job.pids().items()}
        found = {}
        for pid in descendants():
            try:
                process = pathlib.Path("/proc", str(pid))
                if process.joinpath("comm").read_text().strip() != name:
                    continue
                words = process.joinpath("cmdline").read_text().split("\0")
                parent = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if "--rank" in words:
                found[int(words[words.index("--rank") + 1])] = pid
            elif parent in ranks:
                found[ranks[parent]] = pid
        return found

    def writers(self):
        return self.helpers("sckpt-writer")

    def await_helpers(self, name, state=None):
        def there():
            found = self.helpers(name)
            ready = len(found) == self.ranks and all(state in (None, state_of(pid)) for pid in found.values())
            return found if ready else None
        return self.job.await_alive(there, f"not every rank has its {name}")

    def hold_writers(self):
        """From now on writers stop before they have done anything."""
        hold = self.directory / "hold"
        if not hold.exists():
            writer = self.library / "sckpt-writer"
            real = writer.resolve()
            writer.unlink()
            writer.write_text(HOLDING_WRITER.format(hold=hold, writer=real))
            writer.chmod(0o755)
            hold.touch()

    def let_writers_go(self):
        (self.directory / "hold").unlink(missing_ok=True)
        for pid in self.writers().values():
            signal_if_there(pid, signal.SIGCONT)

    def partials(self):
        return sorted(self.step.glob("r*/*.partial"))

    # --- what must be true

    def await_failure(self, words, since=0):
        """Expects that a checkpoint fails for a reason that matches, told in the log or, without one, on stderr."""
        def told():
            for line in self.log_lines(since) + self.output().splitlines():
                if "failed" in line and re.search(words, line):
                    return line
            return None
        line = self.job.await_alive(told, f"no sentence that says /{words}/")
        check(len(line) < 400, f"not one clear sentence: {line}")
        return line

    def unharmed(self, valid):
        """Expects that exactly the generations `valid` are there and intact, and that nothing else is left."""
        def tidy():
            return not self.partials() and not self.writers() and not self.helpers("sckpt-snapshot")
        try:
            self.job.await_alive(tidy, "")
        except CaseFailure as failure:
            if not str(failure).startswith("timed out"):
                raise
            raise CaseFailure(f"left behind: directories {[p.name for p in self.partials()]}, writers {self.writers()}, "
                              f"snapshots {self.helpers('sckpt-snapshot')}") from None
        check(self.generations() == valid, f"generations are {self.generations()}, should be {valid}")
        for generation in valid:
            done = subprocess.run([self.options.build / "lib/sckpt", "verify", generation], capture_output=True,
                                  text=True, timeout=self.options.timeout, check=False)
            check(done.returncode == 0, f"{generation} is not valid any more: {done.stdout}{done.stderr}")

    def prove(self):
        """A new checkpoint works and restores, and the job finishes with the right result."""
        self.restart(self.checkpoint())
        self.finish()

    def finish(self):
        (self.directory / "go").touch()
        self.job.await_end()
        self.job.nothing_left()
        check(not self.partials(), f"left behind: {self.partials()}")

    # --- a restore by hand

    def fence(self, generation):
        """Ends the job and returns where the next one would restore `generation` from."""
        self.job.kill()
        self.incarnation += 1
        return self.restart_point(generation)

    def expect_refusal(self, point, words, ranks=None):
        """Starts the job from `point`, which must be refused: with status 3 and a sentence, and nothing changed."""
        before, right = fingerprint(self.step), self.ranks
        self.ranks = ranks or self.ranks
        self.start(point)
        self.ranks = right
        await_that(lambda: self.job.mpirun.poll() is not None, self.options.timeout, "the refused job does not end")
        said = self.output()
        self.job.nothing_left()
        check(self.job.mpirun.returncode == 3, f"exit code {self.job.mpirun.returncode}, should be 3: {said[:400]}")
        lines = [line for line in said.splitlines() if line.startswith(("sckpt: ", "sckpt-restore: "))]
        check(any("error: " in line and re.search(words, line) for line in lines),
              f"no sentence that says /{words}/: {said[:400]}")
        check("from its beginning" not in said and not list(self.directory.glob("result.*")),
              f"the program was started instead: {said[:400]}")
        after = fingerprint(self.step)
        changed = sorted(str(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        check(not changed, f"a refused restore has changed {changed}")

    def expect_refusal_when(self, point, path, change, words):
        """The same while `path` has been changed by `change`."""
        aside = self.directory / "aside"
        shutil.copy2(path, aside)
        change(path)
        self.expect_refusal(point, words)
        aside.replace(path)

    def restores(self, generation):
        """What was refused, now that its reason is gone, restores and finishes."""
        self.incarnation += 1
        self.start(self.restart_point_of(generation))
        self.finish()

    def restart_point_of(self, generation):
        done = subprocess.run([self.library / "sckpt", "restart-point", "--directory", self.step, "--incarnation",
                               str(self.incarnation), "--ranks", str(self.ranks)], capture_output=True, text=True,
                              timeout=self.options.timeout, check=False)
        point = pathlib.Path(done.stdout.strip())
        check(point.name == generation.name, f"restart point is {point}: {done.stderr.strip()}")
        return point

    # --- the file system

    def mount(self, bytes_of):
        """Puts the checkpoints on a file system of their own of that size."""
        if os.geteuid() != 0:
            raise Skip("only root may mount a small file system")
        self.step.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={bytes_of}", "sckpt-faults", self.step],
                              capture_output=True, text=True, timeout=20, check=False)
        if done.returncode != 0:
            raise Skip(f"cannot mount: {done.stderr.strip()}")
        self.mounted = True

    def remount(self, what):
        subprocess.run(["mount", "-o", f"remount,{what}", self.step], timeout=20, check=True)

    def used(self):
        status = os.statvfs(self.step)
        return (status.f_blocks - status.f_bfree) * status.f_frsize

    def end(self):
        if self.job:
            self.job.kill()
        if self.mounted:
            subprocess.run(["umount", "-l", self.step], timeout=20, check=False)


def state_of(pid):
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def signal_if_there(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def fingerprint(step):
    """{path: digest} of every file below, the log and what tells of a run apart."""
    return {path.relative_to(step): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(step.rglob("*")) if path.is_file() and path.name not in ("log", "request")}


def run_test(name, options):
    """Returns (state, reason, seconds)."""
    began = time.monotonic()
    directory = options.directory / name
    shutil.rmtree(directory, ignore_errors=True)
    run, state, reason = None, "passed", ""
    try:
        run = FaultRun(name, options)
        TESTS[name](run)
    except Skip as skip:
        state, reason = "skipped", str(skip)
    except (CaseFailure, OSError, subprocess.SubprocessError) as failure:
        state, reason = "failed", str(failure)
        if run and run.job:
            run.job.stacks()
    finally:
        if run:
            run.end()
    if state != "failed" and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return state, reason, time.monotonic() - began


def as_ordinary_user(name, options, command):
    """The same in a process of a user that nobody else is."""
    began = time.monotonic()
    directory = options.directory / f"{name}.user"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    os.chown(directory, USER, USER)
    command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command, "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=options.timeout * 6, check=False,
                          env=os.environ | {"HOME": str(directory)})
    state = "passed" if done.returncode == 0 and "1 passed, 0 failed" in done.stdout else "failed"
    if state == "passed" and not options.keep:
        shutil.rmtree(directory, ignore_errors=True)
    return state, "" if state == "passed" else (done.stdout + done.stderr).strip(), time.monotonic() - began


USER = 54321
