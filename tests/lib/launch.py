"""Starts the ranks of a case under mpirun, knows their pids, and ends all of them again.

Every process that a case starts is a descendant of this one, for good: PR_SET_CHILD_SUBREAPER makes orphans (snapshot
processes, writers, ranks whose mpirun was killed) come back here.  So what must be ended is found by descent and ended
by pid, and what a case leaves behind is seen.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None, use_errno=True)

# Ranks share two cores here, and Open MPI polls: without yielding, a rank that waits keeps the one that works from it.
OPEN_MPI = {
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_btl": "vader,self,tcp",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_btl_base_warn_component_unused": "0",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_osc": "^ucx",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMP_NUM_THREADS": "2",
}


class CaseFailure(Exception):
    """What went wrong, in one sentence."""


def adopt_orphans():
    """Call once in each process that starts jobs."""
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become the reaper of orphaned ranks")


def remove_stale_memory():
    """Removes the shared memory of runners that were themselves killed and could not."""
    for path in pathlib.Path("/dev/shm").glob("case-*-*"):
        owner = path.name.split("-")[1]
        if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            shutil.rmtree(path, ignore_errors=True)


def living_thread(pid):
    """The path in /proc of a thread of the process that has not ended, or None: the main thread may end before the others."""
    process = pathlib.Path("/proc", str(pid))
    try:
        while True:
            for thread in sorted((process / "task").iterdir(), key=lambda path: int(path.name)):
                try:
                    if stat_fields(thread)[0] not in "ZX":
                        return thread
                except OSError:
                    continue
            if int(stat_fields(process)[17]) <= 1:  # threads, with the main one
                return None
    except OSError:
        return None


def stat_fields(path):
    """Of stat below the path, proc(5): from the state on."""
    stat = (path / "stat").read_text()
    return stat[stat.rindex(")") + 2:].split()


def descendants():
    """Pids of all living processes below this one (zombies are not living)."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            state, parent = stat_fields(pathlib.Path("/proc", entry))[:2]
        except OSError:
            continue
        parents[int(entry)] = (int(parent), state)
    found, frontier = set(), {os.getpid()}
    while frontier:
        frontier = {pid for pid, (parent, _) in parents.items() if parent in frontier} - found
        found |= frontier
    return {pid for pid in found if parents[pid][1] not in "ZX" or living_thread(pid)}


def reap(spared):
    """Collects ended orphans; `spared` is the child that its Popen object waits for."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == spared:
            continue
        try:
            os.waitpid(int(entry), os.WNOHANG)
        except ChildProcessError:
            pass


def await_that(condition, seconds, what):
    """Polls until condition() is true and returns its value; CaseFailure after that many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise CaseFailure(f"timed out after {seconds:g} s: {what}")
        time.sleep(0.005)


class Job:
    """One start of the program of a case on `ranks` ranks: an incarnation."""

    def __init__(self, directory, incarnation, program, arguments, ranks, environment, preload, timeout, launcher=(),
                 wrapper=()):
        self.directory, self.ranks, self.timeout = directory, ranks, timeout
        self.output = directory / f"output.{incarnation}"
        self.incarnation = incarnation
        # mpirun must not be intercepted, so the preload is set by an exec below it.  The pid stays the same through
        # every exec that follows, that of the restorer included; a wrapper may fork, so it is told below that.
        tell = ["sh", "-c", 'echo $$ >"$1/pid.$2.$OMPI_COMM_WORLD_RANK"; shift 2; exec "$@"', "sh", str(directory),
                str(incarnation)]
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)]
        command += [*launcher, "env"] if wrapper else [*tell, *launcher, "env"]
        # What the program itself preloads comes first, as the plugin puts ours behind it.
        preloads = [str(one) for one in (environment.get("LD_PRELOAD"), preload) if one]
        command += ["LD_PRELOAD=" + ":".join(preloads)] if preloads else []
        command += [*wrapper, *tell] if wrapper else []
        command += [str(program), *arguments]
        self.shared_memory = pathlib.Path("/dev/shm", f"case-{os.getpid()}-{incarnation}")
        self.shared_memory.mkdir(exist_ok=True)
        temporary = directory / "tmp"
        temporary.mkdir(exist_ok=True)
        everything = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "SLURM_", "SCKPT_"))}
        everything |= OPEN_MPI | {
            "SCKPT_CASE_DIR": str(directory),
            "OMPI_MCA_orte_tmpdir_base": str(temporary),
            "OMPI_MCA_btl_vader_backing_directory": str(self.shared_memory),
        } | {name: value for name, value in environment.items() if name != "LD_PRELOAD"}
        with open(self.output, "w") as out:
            self.mpirun = subprocess.Popen(command, cwd=directory, env=everything, stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=out, preexec_fn=self._end_with_parent)

    @staticmethod
    def _end_with_parent():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    def pids(self):
        """{rank: pid} of the ranks that have started so far."""
        found = {}
        for rank in range(self.ranks):
            try:
                text = (self.directory / f"pid.{self.incarnation}.{rank}").read_text()
            except OSError:
                continue
            if text.endswith("\n"):
                found[rank] = int(text)
        return found

    def last_words(self):
        lines = [line for line in self.output.read_text(errors="replace").splitlines() if re.search(r"\w", line)]
        return " | ".join(lines[:3])[:400]

    def check_results(self):
        """CaseFailure if a rank has said that it failed."""
        for rank in range(self.ranks):
            result = self.directory / f"result.{rank}"
            if result.exists() and result.read_text().strip() != "pass":
                raise CaseFailure(f"rank {rank}: {result.read_text().strip()}")

    def check_alive(self):
        """CaseFailure if a rank has failed or the job has ended."""
        self.check_results()
        if self.mpirun.poll() is not None:
            raise CaseFailure(f"ended too early with exit code {self.mpirun.returncode}: {self.last_words()}")

    def why_vanished(self, error):
        """The sentence for a rank that went away while it was being looked at, which `error` is about.

        What the rank itself has said comes a moment later, from its result or when mpirun ends.
        """
        try:
            self.await_alive(lambda: False, "")
        except CaseFailure as failure:
            return f"{error}, and the job goes on" if str(failure).startswith("timed out") else str(failure)

    def await_alive(self, condition, what):
        def watched():
            value = condition()
            if not value:
                self.check_alive()
            return value
        return await_that(watched, self.timeout, what)

    def await_ready(self):
        markers = [self.directory / f"ready.{rank}" for rank in range(self.ranks)]
        self.await_alive(lambda: all(marker.exists() for marker in markers), "not all ranks became ready")

    def await_end(self, code=0):
        """Expects that every rank passes and that mpirun ends with this exit code."""
        def ended():
            if self.mpirun.poll() is not None:
                return True
            self.check_results()
            return False
        await_that(ended, self.timeout, "the job did not end after go")
        for rank in range(self.ranks):
            result = self.directory / f"result.{rank}"
            text = result.read_text().strip() if result.exists() else f"left no result: {self.last_words()}"
            if text != "pass":
                raise CaseFailure(f"rank {rank}: {text}")
        if self.mpirun.returncode != code:
            raise CaseFailure(f"all ranks passed, but the exit code is {self.mpirun.returncode}, should be {code}: "
                              f"{self.last_words()}")

    def nothing_left(self):
        """Expects that all helpers of the job go by themselves."""
        def gone():
            reap(self.mpirun.pid)
            return not descendants()
        try:
            await_that(gone, 10, "")
        except CaseFailure:
            left = ", ".join(f"{pid} ({self._name(pid)})" for pid in sorted(descendants()))
            raise CaseFailure(f"the job has ended but left processes behind: {left}") from None

    @staticmethod
    def _name(pid):
        try:
            return pathlib.Path("/proc", str(pid), "comm").read_text().strip()
        except OSError:
            return "gone"

    def stacks(self):
        """Writes the stacks of all threads of all living ranks into the case's directory."""
        for rank, pid in self.pids().items():
            if pid not in descendants():
                continue
            with open(self.directory / f"stacks.{self.incarnation}.{rank}", "w") as out:
                try:
                    subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "thread apply all bt"], stdout=out,
                                   stdin=subprocess.DEVNULL, stderr=out, timeout=20, check=False)
                except (subprocess.TimeoutExpired, FileNotFoundError) as error:
                    out.write(f"no stacks: {error}\n")

    def signal_ranks(self, number, chosen):
        for rank, pid in self.pids().items():
            if rank not in chosen:
                continue
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                raise CaseFailure(f"rank {rank} (pid {pid}) is gone: {self.last_words()}") from None

    def kill(self):
        """SIGKILL for mpirun first, so that it tidies nothing up, then for everything below; returns when all are gone."""
        if self.mpirun.poll() is None:
            self.mpirun.kill()
            self.mpirun.wait()

        def gone():
            left = descendants()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            reap(self.mpirun.pid)
            return not left
        await_that(gone, self.timeout, "killed processes do not go away")
        shutil.rmtree(self.shared_memory, ignore_errors=True)
