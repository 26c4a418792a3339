"""A whole program: LAMMPS on two ranks, natively and under sckpt, in alternation; no checkpoint is requested."""

import pathlib
import re
import shutil
import time

from launch import BenchError, Ranks, comparison, pairs

INPUT = pathlib.Path(__file__).with_name("melt.lammps")
TO_REACH = {"lammps/wall": 1.01}
MCA = {"btl": "vader,self"}


def one_run(setup, environment, options, name):
    """Seconds from the start of mpirun to its end, seconds of LAMMPS's time-step loop, and its thermo lines."""
    directory = setup.directory / name
    directory.mkdir()
    command = ["lmp", "-in", INPUT, "-var", "steps", options.lammps_steps, "-log", "log.lammps"]
    begin = time.monotonic()
    with Ranks(command, environment=environment, mca=MCA, cwd=directory, output=directory / "output") as ranks:
        ranks.finish(timeout=600)
        wall = time.monotonic() - begin
    log = (directory / "log.lammps").read_text()
    loop = re.search(r"^Loop time of (\S+) on 2 procs", log, re.MULTILINE)
    if not loop:
        raise BenchError(f"{directory}/log.lammps has no line `Loop time of ... on 2 procs`")
    thermo = log[log.index("Step Temp"):loop.start()]
    return wall, float(loop.group(1)), thermo


def measure(setup, options):
    if not shutil.which("lmp"):
        raise BenchError("lmp is not in PATH: install Debian's package lammps")
    samples = {"native": [], "sckpt": []}
    rounds = max(options.rounds // 2 + 2, 5) if not options.quick else 1
    for index, order in pairs(rounds):
        thermo = {}
        for side in order:
            environment = {}
            if side == "sckpt" and not options.noise:
                environment = setup.sckpt_environment(setup.directory / f"lammps.{index}.0")
            wall, loop, thermo[side] = one_run(setup, environment, options, f"lammps-{side}-{index}")
            samples[side].append({"wall": wall, "loop": loop})
        if thermo["native"] != thermo["sckpt"]:
            raise BenchError(f"LAMMPS computed other numbers under sckpt: compare {setup.directory}/lammps-*-{index}")
        options.progress(f"LAMMPS: pair {index + 1} of {rounds}")
    results = {}
    for what in ("wall", "loop"):
        key = f"lammps/{what}"
        results[key] = comparison(*([run[what] for run in samples[side]] for side in ("native", "sckpt")))
        results[key].update(unit="s", to_reach=TO_REACH.get(key))
    return results
