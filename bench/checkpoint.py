"""Checkpoint and restore of ranks with memory to save: seconds, bytes, speed against write(), pause, restore.

Every round writes as many bytes as a checkpoint has, one file per rank, all ranks at once, with bench/raw_write.cc, and
then takes a checkpoint into the same directory while the job runs.  The time of a checkpoint is that which a user sees:
from the request to the committed generation.
"""

import os
import pathlib
import re
import signal
import statistics
import subprocess
import time

from launch import BenchError, Ranks, comparison, kill_ranks
from payload import Payload

MCA = {"btl": "vader,self"}
RATIO_TO_REACH = 0.8  # speed of the checkpoint divided by that of write()


def request(step, number):
    path = step / "r0" / "request"
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(f"id={number}\nby=bench\n")
    temporary.rename(path)


def newest(step):
    names = [path for path in (step / "r0").glob("[0-9]*") if path.name.isdigit()]
    return max(names, key=lambda path: int(path.name), default=None)


def refusals(step):
    log = step / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if re.search(r" (declined|failed) ", line)]


def take(step, pids, ranks, number):
    """Requests a checkpoint; returns its directory and the seconds until it was committed."""
    before, refused = newest(step), len(refusals(step))

    def committed_or_refused():
        now = newest(step)
        return now if now != before else refusals(step)[refused:]

    request(step, number)
    begin = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGURG)
    outcome = ranks.await_condition(committed_or_refused, f"checkpoint {number} is committed in {step}", 120)
    seconds = time.monotonic() - begin
    if not isinstance(outcome, pathlib.Path):
        raise BenchError(f"checkpoint {number}: {outcome[0]} ({step}/log)")
    return outcome, seconds


def rank_bytes(generation):
    return [path.stat().st_size for path in sorted(generation.glob("rank*.h5"))]


def raw_write(setup, directory, sizes):
    """Seconds in which write() and fsync bring these sizes to one file each, all at once."""
    writers = [subprocess.Popen([setup.program("raw_write"), directory / f"raw.{index}", str(size)],
                                stdout=subprocess.PIPE, text=True) for index, size in enumerate(sizes)]
    outputs = [writer.communicate(timeout=300)[0] for writer in writers]
    if any(writer.returncode != 0 for writer in writers):
        raise BenchError(f"raw_write failed in {directory}")
    return max(float(output) for output in outputs)


def restore(setup, payload, step):
    """Seconds from the start of mpirun until every restored rank has gone through its loop."""
    program = setup.library / "sckpt"
    found = subprocess.run([program, "restart-point", "--directory", step, "--incarnation", "1",
                            "--ranks", str(payload.ranks)], capture_output=True, text=True, timeout=120, check=False)
    if found.returncode != 0 or not found.stdout.strip():
        raise BenchError(f"sckpt restart-point found nothing to restore in {step}: {found.stderr.strip()}")
    environment = setup.sckpt_environment(step, incarnation=1, restart=found.stdout.strip())
    payload.ask()
    output = payload.directory / "output.restored"
    begin = time.monotonic()
    with Ranks(payload.command, environment=environment, mca=MCA, output=output) as ranks:
        payload.await_answers(ranks, timeout=180)
        seconds = time.monotonic() - begin
        payload.end(ranks)
    return seconds


def measure(setup, options):
    if options.noise:
        return {}
    payload = Payload(setup, "checkpoint", options.mib, options.mappings)
    step = setup.directory / "checkpoint.1.0"
    environment = setup.sckpt_environment(step) | {"SCKPT_LOG": "debug"}
    raw, checkpoints, settles, stops = [], [], [], []
    with Ranks(payload.command, environment=environment, mca=MCA, output=payload.output) as ranks:
        pids = payload.await_ready(ranks)
        idle_gap = max(payload.await_alive(ranks))
        generation, _ = take(step, pids, ranks, 1)  # not counted: tells the bytes, warms what can be warmed
        sizes = rank_bytes(generation)
        for index in range(options.rounds):
            raw.append(raw_write(setup, step, sizes))
            generation, seconds = take(step, pids, ranks, index + 2)
            sizes = rank_bytes(generation)
            checkpoints.append(seconds)
            times = payload.times_of(ranks, index + 2)
            settles.append(max(settle for settle, _, _ in times))
            stops.append(max(stopped for _, _, stopped in times))
            options.progress(f"checkpoint: round {index + 1} of {options.rounds}")
        pause = max(payload.await_alive(ranks))
        kill_ranks(ranks, pids)
    options.progress("restore")
    restored = restore(setup, payload, step)

    write = comparison(raw, checkpoints)
    speeds = [plain / ours for plain, ours in zip(raw, checkpoints)]
    write.update(unit="s", speed_ratio=statistics.median(speeds), speed_to_reach=RATIO_TO_REACH)
    total = sum(sizes)
    return {
        "checkpoint/seconds": write,
        "checkpoint/bytes": {"sckpt": total / 2**20, "unit": "MiB"},
        "checkpoint/settle": {"sckpt": statistics.median(settles), "unit": "ms", "samples": {"sckpt": settles}},
        "checkpoint/stopped": {"sckpt": statistics.median(stops), "unit": "ms", "samples": {"sckpt": stops}},
        "checkpoint/longest_pause": {"native": idle_gap, "sckpt": pause, "unit": "ms"},
        "restore/seconds": {"sckpt": restored, "unit": "s"},
        "restore/speed": {"sckpt": total / 2**20 / restored, "unit": "MiB/s"},
    }
