"""What is paid in memory, natively and under sckpt: by an idle job (smaps_rollup of a small waiting rank), and for each
object and each pending request (bench/objects.cc)."""

import statistics

from launch import Ranks, comparison, pairs
from payload import Payload

MCA = {"btl": "vader,self"}
FIELDS = {"Rss": "rss", "Pss": "pss"}
OBJECTS = {"communicator": 500, "group": 2000, "datatype": 2000, "operation": 800, "info": 2000, "keyval": 2000,
           "error_handler": 400, "window": 100, "persistent_request": 2000, "pending_receive": 2000,
           "pending_send": 1000}  # how many are made


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


def bytes_per_object(setup, environment, kind, name):
    output = setup.directory / name
    command = [setup.program("objects"), kind, OBJECTS[kind]]
    mca = MCA | {"osc": "^ucx"}  # which refuses windows here
    with Ranks(command, ranks=1, environment=environment, mca=mca, output=output) as ranks:
        ranks.finish(60)
    return float(output.read_text().split()[-1])


def measure_objects(setup, options):
    results = {}
    for kind in OBJECTS:
        sizes = {}
        for side in ("native", "sckpt"):
            environment = {}
            if side == "sckpt" and not options.noise:
                environment = setup.sckpt_environment(setup.directory / f"objects-{kind}.0")
            sizes[side] = bytes_per_object(setup, environment, kind, f"objects-{kind}-{side}")
        results[f"each/{kind}"] = sizes | {"unit": "B", "difference": sizes["sckpt"] - sizes["native"]}
    options.progress(f"memory: {len(OBJECTS)} kinds of objects")
    return results


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
    return results | measure_objects(setup, options)
