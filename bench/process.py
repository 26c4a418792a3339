"""The cost of what a program asks of the system: bench/process.cc natively and under sckpt, in alternation."""

import calls
from launch import comparison, pairs

TO_REACH = {"open_close": 1.05, "thread_create_join": 1.05, "mmap_munmap": 1.05, "malloc_free/64": 1.02,
            "malloc_free/4096": 1.02}


def measure(setup, options):
    samples = {"native": [], "sckpt": []}
    for index, order in pairs(options.rounds):
        for side in order:
            environment = {}
            if side == "sckpt" and not options.noise:
                environment = setup.sckpt_environment(setup.directory / f"process.{index}.0")
            samples[side].append(calls.one_run(setup, {}, environment, options, "process.json", "process", ranks=1))
        options.progress(f"process: round {index + 1} of {options.rounds}")
    results = {}
    for name in samples["native"][0]:
        results[name] = comparison(*([run[name] for run in samples[side]] for side in ("native", "sckpt")))
        results[name].update(unit="ns", to_reach=TO_REACH.get(name))
    return results
