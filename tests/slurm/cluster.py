"""A private Slurm for tests, its jobs, and conditions that are awaited."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER = "minislurm"


class TestFailure(Exception):
    """Why a test failed, in words."""


def check(condition, reason):
    if not condition:
        raise TestFailure(reason)


def await_condition(condition, what, timeout):
    """Polls until condition() is true and returns its value; `what` completes the sentence `... in vain`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TestFailure(f"waited {timeout} s in vain: {what}")
        time.sleep(0.1)
    return value


class Cluster:
    """A minislurm; leaves nothing behind at the end of the `with` block."""

    def __init__(self, directory, nodes, grace, plugstack):
        self.directory = pathlib.Path(directory)
        self.options = ["--nodes", str(nodes), "--grace", str(grace)]
        if plugstack:
            self.options += ["--plugstack", str(plugstack)]

    def __enter__(self):
        self.minislurm("up", *self.options)
        return self

    def __exit__(self, *_):
        self.minislurm("down", "--clean", strict=False)

    def minislurm(self, verb, *words, strict=True, timeout=120):
        command = [ROOT / "scripts/minislurm", *verb.split(), "--dir", self.directory, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        check(not strict or done.returncode == 0, f"minislurm {verb} failed: {done.stderr.strip()}")
        return done

    def user(self, *words, cwd=None, timeout=60):
        """Runs a command as the ordinary user; returns it, whatever its exit status is."""
        command = [ROOT / "scripts/minislurm", "run", "--dir", self.directory, "--user", USER, "--", *words]
        try:
            return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=timeout,
                                  stdin=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired:
            raise TestFailure(f"no end after {timeout} s: {' '.join(map(str, words))}") from None

    def ordered(self, *words, **options):
        """As user(), for commands that have to succeed; returns what they print."""
        done = self.user(*words, **options)
        shown = " ".join(map(str, words))
        check(done.returncode == 0, f"`{shown}` exit status {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()


class Work:
    """The directory of one test, which belongs to the user, and the jobs submitted from it."""

    def __init__(self, cluster, base, name, build):
        self.cluster = cluster
        self.directory = pathlib.Path(base) / name
        self.build = pathlib.Path(build).resolve()
        self.counter = self.build / "tests/slurm/counter"
        self.jobs = []
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        account = pwd.getpwnam(USER)
        os.chown(self.directory, account.pw_uid, account.pw_gid)

    def user(self, *words, **options):
        return self.cluster.user(*words, cwd=self.directory, **options)

    def counter_command(self, steps, pace, name="counts"):
        return f"{self.counter} {steps} {self.directory / name} {pace}"

    def submit(self, command, partition="low", nodes=2, tasks=4, options=(), otherwise=""):
        """Submits a batch script with `srun ... command`; `otherwise` is what it does when srun fails."""
        number = len(self.jobs)
        script = self.directory / f"job{number}.sh"
        script.write_text(f"#!/bin/bash\n#SBATCH --open-mode=append\nsrun --mpi=pmix {command}{otherwise}\n")
        identity = self.cluster.ordered(
            "sbatch", "--parsable", "--requeue", "-p", partition, "-N", nodes, "-n", tasks, "-o", f"output{number}",
            *options, script, cwd=self.directory)
        job = Job(self, int(identity.split(";")[0]), self.directory / f"output{number}")
        self.jobs.append(job)
        return job

    def end_jobs(self):
        for job in self.jobs:
            if not job.ended():
                self.user("scancel", job.id)
        for job in self.jobs:
            await_condition(job.ended, f"job {job.id} ends after scancel", 60)

    def starts(self, name="counts"):
        """How often main() of the counter began."""
        path = self.directory / f"{name}.starts"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def counts(self, name="counts"):
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    def last_step(self, name="counts"):
        steps = [line for line in self.counts(name) if line.startswith("step ")]
        return int(steps[-1].split()[1]) if steps else 0

    def await_step(self, step, name="counts", timeout=90):
        await_condition(lambda: self.last_step(name) >= step, f"the counter reaches step {step}", timeout)


class Job:
    def __init__(self, work, identity, output):
        self.work = work
        self.id = identity
        self.output = output

    def fields(self):
        """What `scontrol show job` tells: name -> value."""
        text = self.work.cluster.ordered("scontrol", "-o", "show", "job", self.id)
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def state(self):
        return self.fields()["JobState"]

    def restarts(self):
        return int(self.fields()["Restarts"])

    def ended(self, state=None):
        return (state or self.state()) not in ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "REQUEUED")

    def await_state(self, *states, timeout=60):
        def reached():
            now = self.state()
            check(now in states or not self.ended(now), f"job {self.id} is {now}, expected {wanted}{self.tail()}")
            return now in states

        wanted = " or ".join(states)
        await_condition(reached, f"job {self.id} becomes {wanted}", timeout)

    def await_restart(self, timeout=120):
        await_condition(lambda: self.restarts() > 0, f"job {self.id} is requeued", timeout)

    def step_directory(self):
        """<directory>/<cluster>.<jobid>.<stepid> of the first step, or None."""
        return next(iter(self.work.directory.glob(f"*.{self.id}.0")), None)

    def generations(self):
        """Committed generations of all incarnations, oldest first."""
        step = self.step_directory()
        found = [path for path in step.glob("r*/[0-9]*") if path.name.isdigit()] if step else []
        return sorted(found, key=lambda path: (int(re.sub(r"\D", "", path.parent.name)), int(path.name)))

    def events(self, word):
        """Lines of the step's log with this event: committed, declined, failed, restored."""
        log = self.step_directory() and self.step_directory() / "log"
        lines = log.read_text().splitlines() if log and log.exists() else []
        return [line for line in lines if f" {word} " in f"{line} "]

    def tail(self):
        """The end of output and log, for messages."""
        step = self.step_directory()
        paths = [self.output] + ([step / "log"] if step else [])
        text = ""
        for path in (path for path in paths if path.exists()):
            lines = path.read_text(errors="replace").splitlines()[-8:]
            text += f"\n    {path}:" + "".join(f"\n      {line}" for line in lines)
        return text

    def processes(self, program, rank=None):
        """Pids of this job's processes that run `program`, of one rank or of all."""
        wanted = {f"SLURM_JOB_ID={self.id}".encode()}
        if rank is not None:
            wanted.add(f"SLURM_PROCID={rank}".encode())
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = set((entry / "environ").read_bytes().split(b"\0"))
                if wanted <= environment and os.readlink(entry / "exe") == str(program):
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile
        return found
