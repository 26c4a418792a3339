"""The agreement as ranks grow: SETTLE, STOP and DRAIN of ranks in a loop of barriers, in units of one such barrier.

The ranks are many more than cores, so absolute times say little; how they grow beside MPI_Barrier, of the same ranks in
the same run, says what is asked.  Every rank tells its times in its log (SCKPT_LOG=debug); the slowest one counts.
"""

import statistics

from checkpoint import take
from launch import BenchError, Ranks
from payload import Payload

RANKS = (2, 4, 8, 16, 32)
MCA = {"btl": "vader,self", "mpi_yield_when_idle": "1"}
WIDTH = 50  # of the plot


def one_count(setup, options, count):
    """The samples of `count` ranks, and the time of a barrier in ms."""
    payload = Payload(setup, f"settle-{count}", ranks=count, program="barriers")
    step = setup.directory / f"settle-{count}.1.0"
    environment = setup.sckpt_environment(step) | {"SCKPT_LOG": "debug"}
    samples = {"settle": [], "settle_drain": [], "stopped": []}
    with Ranks(payload.command, ranks=count, environment=environment, mca=MCA, output=payload.output,
               bound=False) as ranks:
        pids = payload.await_ready(ranks, timeout=120)
        for number in range(1, options.rounds + 2):
            take(step, pids, ranks, number)
            lines = payload.times_of(ranks, number)
            if number == 1:
                continue  # not counted: warms what can be warmed
            samples["settle"].append(max(settle for settle, _, _ in lines))
            samples["settle_drain"].append(max(settle + drain for settle, drain, _ in lines))
            samples["stopped"].append(max(stopped for _, _, stopped in lines))
        payload.end(ranks)
    barrier = float((payload.directory / "barrier").read_text()) / 1000
    if barrier <= 0:
        raise BenchError(f"no barrier was timed: {payload.directory}/barrier")
    return samples, barrier


def measure(setup, options):
    if options.noise:
        return {}
    results = {}
    for count in RANKS[:2] if options.quick else RANKS:
        samples, barrier = one_count(setup, options, count)
        for what, values in samples.items():
            ratios = [value / barrier for value in values]
            low, _, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
            results[f"{what}/{count}"] = {
                "native": barrier, "sckpt": statistics.median(values), "unit": "ms", "ranks": count,
                "ratio": statistics.median(ratios), "quartiles": [low, high], "best": min(ratios),
                "rounds": len(values), "samples": {"sckpt": values},
            }
        options.progress(f"settle: {count} ranks")
    return results


def plot(results):
    """Lines of text: the ratio of settle_drain over the number of ranks."""
    rows = [row for name, row in results.items() if name.startswith("settle_drain/")]
    most = max(row["ratio"] for row in rows) if rows else 0
    if most == 0:
        return
    yield "SETTLE, STOP and DRAIN, in MPI_Barriers of as many ranks (settle_drain)"
    for row in rows:
        bar = "#" * max(1, round(WIDTH * row["ratio"] / most))
        yield f"{row['ranks']:>4} ranks {bar:<{WIDTH}} {row['ratio']:,.1f}"
