"""The cost of wrapped MPI calls: bench/calls.cc natively and under sckpt, in alternation."""

import json

from launch import BenchError, Ranks, comparison, pairs

# osc/ucx, which is chosen first, makes no window over TCP.
TRANSPORTS = {
    "vader": {"btl": "vader,self", "osc": "^ucx"},
    "tcp": {"btl": "tcp,self", "btl_tcp_if_include": "lo", "osc": "^ucx"},
}
TO_REACH = {"vader/ping_pong/8": 1.03, "vader/message_rate/8": 1 / 0.95, "vader/iallreduce": 1.05,
            "vader/put_flush": 1.05}
NEEDS_NO_TRANSPORT = "comm_rank"


def one_run(setup, mca, environment, options, filename, program="calls", ranks=2):
    """Name of a benchmark -> nanoseconds per iteration, the fastest of the repetitions: noise only ever adds."""
    output = setup.directory / filename
    command = [setup.program(program), f"--benchmark_out={output}", "--benchmark_out_format=json",
               f"--benchmark_min_time={options.min_time}", f"--benchmark_repetitions={options.repetitions}"]
    with Ranks(command, ranks, environment, mca, output=setup.directory / f"{program}.out") as running:
        running.finish(timeout=120)
    result = {}
    for entry in json.loads(output.read_text())["benchmarks"]:
        if entry.get("error_occurred"):
            raise BenchError(f"{entry['name']}: {entry['error_message']}")
        if entry["run_type"] == "iteration":
            name = entry["run_name"].removesuffix("/real_time")
            result[name] = min(result.get(name, float("inf")), entry["real_time"])
    return result


def measure(setup, options):
    results = {}
    for transport, mca in TRANSPORTS.items():
        samples = {"native": [], "sckpt": []}
        for index, order in pairs(options.rounds):
            for side in order:
                environment = {}
                if side == "sckpt" and not options.noise:
                    environment = setup.sckpt_environment(setup.directory / f"calls.{transport}{index}.0")
                samples[side].append(one_run(setup, mca, environment, options, "calls.json"))
            options.progress(f"calls over {transport}: round {index + 1} of {options.rounds}")
        for name in samples["native"][0]:
            if name == NEEDS_NO_TRANSPORT and transport != "vader":
                continue
            key = name if name == NEEDS_NO_TRANSPORT else f"{transport}/{name}"
            results[key] = comparison(*([run[name] for run in samples[side]] for side in ("native", "sckpt")))
            results[key].update(unit="ns", to_reach=TO_REACH.get(key))
    return results
