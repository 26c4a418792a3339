"""What scripts/minislurm needs of the machine's processes: to run, find, await and end them."""

import contextlib
import os
import shlex
import signal
import subprocess
import time

MARK = "MINISLURM_DIR"  # in the environment of every process that a cluster starts
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Failure(Exception):
    """A condition the caller is told about in one sentence."""


def command(*words, check=True, env=None, timeout=30):
    """Runs a command; returns its result. Failure or time-out is told with what the command said."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=timeout, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Failure(f"the command {words[0]} is missing: run scripts/deps") from None
    except subprocess.TimeoutExpired:
        if check:
            raise Failure(f"`{shlex.join(words)}` did not end within {timeout} seconds") from None
        return subprocess.CompletedProcess(words, 124, "", "timed out")
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip().replace("\n", "; ")
        raise Failure(f"`{shlex.join(words)}` failed with {done.returncode}: {said or 'it said nothing'}")
    return done


def wait_until(condition, seconds, step=0.02):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
        step = min(step * 1.5, 0.2)
    return True


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def running(pid):
    """Whether the process exists and is not a zombie that nobody has waited for yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def marked(pid, directory):
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            return f"{MARK}={directory}".encode() in environ.read().split(b"\0")
    except OSError:
        return False


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except OSError:
        return ""


def end_processes(find, patience):
    """Ends what find() lists, politely for `patience` seconds, then by SIGKILL until nothing is left."""
    for pid in find() if patience else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    if patience and wait_until(lambda: not find(), patience):
        return

    def killed():
        left = find()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    if not wait_until(killed, 15):
        raise Failure(f"processes {find()} do not end, not even by SIGKILL")
