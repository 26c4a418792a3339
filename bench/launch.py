"""Starting ranks with and without sckpt, awaiting conditions, and the numbers of a comparison."""

import os
import pathlib
import signal
import statistics
import subprocess
import time

CONTRACT = "1"  # kContract of preload/env.h


class BenchError(Exception):
    """A measurement could not be made; the text says what, where and what to look at."""


class Setup:
    """Where things are, and how ranks are started."""

    def __init__(self, build, directory):
        self.build = pathlib.Path(build).resolve()
        self.library = self.build / "lib"
        self.directory = pathlib.Path(directory).resolve()

    def program(self, name):
        path = self.build / "bench" / name
        if not path.exists():
            raise BenchError(f"{path} is missing: run `make bench-programs`")
        return str(path)

    def sckpt_environment(self, step_directory, incarnation=0, restart=None):
        """The variables of preload/env.h, as the SPANK plugin would set them."""
        preload = self.library / "libsckpt.so"
        if not preload.exists():
            raise BenchError(f"{preload} is missing: run `make`")
        os.makedirs(step_directory, mode=0o700, exist_ok=True)
        variables = {
            "LD_PRELOAD": preload,
            "SCKPT_DIR": step_directory,
            "SCKPT_INCARNATION": incarnation,
            "SCKPT_SPEC": "on",
            "SCKPT_LIBDIR": self.library,
            "SCKPT_CONTRACT": CONTRACT,
        }
        if restart:
            variables["SCKPT_RESTART"] = restart
        return {name: str(value) for name, value in variables.items()}


class Ranks:
    """mpirun with its ranks, one per core (`bound`) or as many as wanted.  The environment is for the ranks only: it is
    given to env(1), so that neither mpirun nor env itself is intercepted.  Ends with the `with` block, whatever happens."""

    def __init__(self, command, ranks=2, environment=None, mca=None, cwd=None, output=None, bound=True):
        pairs = [f"{name}={value}" for name, value in (environment or {}).items()]
        options = [word for item in (mca or {}).items() for word in ("--mca", *item)]
        self.command = ["mpirun", "--allow-run-as-root", "-np", str(ranks),
                        *(("--bind-to", "core") if bound else ("--oversubscribe", "--bind-to", "none")), *options,
                        "env", *pairs, *map(str, command)]
        self.output = output
        self.file = open(output, "wb") if output else subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.file,
                                        stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:  # mpirun ends its ranks when it is asked to end
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.output:
            self.file.close()

    def tail(self):
        if not self.output:
            return ""
        return "\n" + pathlib.Path(self.output).read_text(errors="replace")[-2000:]

    def finish(self, timeout):
        """Waits for the end; anything but exit status 0 is an error."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise BenchError(f"no end after {timeout} s: {' '.join(self.command)}{self.tail()}") from None
        if status != 0:
            raise BenchError(f"exit status {status}: {' '.join(self.command)}{self.tail()}")

    def await_condition(self, condition, what, timeout):
        """Polls until condition() is true; returns its value.  The end of the ranks ends the wait, as an error."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if self.process.poll() is not None:
                raise BenchError(f"the ranks ended (status {self.process.returncode}) before {what}{self.tail()}")
            if time.monotonic() > deadline:
                raise BenchError(f"not within {timeout} s: {what}{self.tail()}")
            time.sleep(0.002)
        return value


def kill_ranks(ranks, pids):
    """SIGKILL to mpirun and to each rank, as a crash would; returns when all are gone."""
    for pid in [ranks.process.pid, *pids]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    ranks.process.wait()
    deadline = time.monotonic() + 30
    for pid in pids:
        while os.path.exists(f"/proc/{pid}"):
            if time.monotonic() > deadline:
                raise BenchError(f"process {pid} is still there 30 s after SIGKILL")
            time.sleep(0.002)


def pairs(rounds):
    """The order of measurement: native, sckpt, sckpt, native, ...: whatever drifts slowly hits both sides alike."""
    for index in range(rounds):
        yield index, ("native", "sckpt") if index % 2 == 0 else ("sckpt", "native")


def comparison(native, sckpt):
    """Medians of both sides and of the ratios of each round, with the quartiles of these; ratio of the best of both."""
    ratios = [with_it / without for with_it, without in zip(sckpt, native)]
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return {
        "native": statistics.median(native),
        "sckpt": statistics.median(sckpt),
        "ratio": statistics.median(ratios),
        "quartiles": [low, high],
        "best": min(sckpt) / min(native),
        "rounds": len(ratios),
        "samples": {"native": native, "sckpt": sckpt},
    }
