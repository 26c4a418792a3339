"""What an idle job pays in memory: smaps_rollup of a small waiting rank, natively and under sckpt."""

import statistics

from launch import Ranks, comparison, pairs
from payload import Payload

MCA = {"btl": "vader,self"}
FIELDS = {"Rss": "rss", "Pss": "pss"}


def rollup(pid):
    """MiB of a process: resident (rss), resident with shared pages divided among their users (pss), private."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        for line in list(lines)[1:]:
            name, kib = line.split()[:2]
            values[name.rstrip(":")] = int(kib) / 1024
    result = {key: values[field] for field, key in FIELDS.items()}
    result["private"] = values["Private_Clean"] + values["Private_Dirty"]
    return result


def one_run(setup, environment, name):
    payload = Payload(setup, name, 1)
    with Ranks(payload.command, environment=environment, mca=MCA, output=payload.output) as ranks:
        pids = payload.await_ready(ranks)
        payload.await_alive(ranks)
        sizes = [rollup(pid) for pid in pids]
        payload.end(ranks)
    return {key: statistics.mean(size[key] for size in sizes) for key in sizes[0]}


def measure(setup, options):
    rounds = 1 if options.quick else 3
    samples = {"native": [], "sckpt": []}
    for index, order in pairs(rounds):
        for side in order:
            environment = {}
            if side == "sckpt" and not options.noise:
                environment = setup.sckpt_environment(setup.directory / f"memory.{index}.0")
            samples[side].append(one_run(setup, environment, f"memory-{side}-{index}"))
        options.progress(f"memory: pair {index + 1} of {rounds}")
    results = {}
    for what in samples["native"][0]:
        row = comparison(*([run[what] for run in samples[side]] for side in ("native", "sckpt")))
        row.update(unit="MiB/rank", difference=row["sckpt"] - row["native"])
        results[f"idle/{what}"] = row
    return results
