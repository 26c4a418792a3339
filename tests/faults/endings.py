"""Programs end as they would without us: with the same status or signal, their handlers run and their output written."""

import re
import types

from frame import FaultRun, check, test
from launch import await_that


def outcome(run, way, name, native=False, checkpoint=False, restart=False):
    """(what mpirun makes of it, lines of the program) of one job."""
    options = types.SimpleNamespace(**vars(run.options))
    options.native = native
    job = FaultRun(run.case.name, options, run.directory / name)
    job.case.environment = {"OMPI_MCA_odls_base_sigkill_timeout": "0"}  # mpirun's patience with what is left
    job.case.program = run.options.build / "tests/faults/endings"
    try:
        job.case.arguments, job.ranks = [way], 1  # of several, mpirun reports the one that it saw first
        job.start()
        job.job.await_ready()
        generation = job.checkpoint() if checkpoint or restart else None
        if restart:
            job.restart(generation)
        (job.directory / "go").touch()
        mpirun = job.job.mpirun
        await_that(lambda: mpirun.poll() is not None, options.timeout, f"{name}: the job does not end after `{way}`")
        job.job.nothing_left()
        said = job.output()
        signals = re.findall(r"exited on (signal \d+)", said)
        lines = [line for line in said.splitlines() if line in ("handler of exit", "main has ended")]
        return mpirun.returncode, signals, lines
    finally:
        job.end()


def same_as_native(run, way):
    expected = outcome(run, way, "native", native=True)
    for name, how in (("plain", {}), ("continue", {"checkpoint": True}), ("restart", {"restart": True})):
        got = outcome(run, way, name, **how)
        check(got == expected, f"{name}, `{way}`: status, signal and output are {got}, natively {expected}")
    return expected


def register(way, status):
    def ending(run):
        expected = same_as_native(run, way)
        check(expected[0] == status, f"natively the status is {expected[0]}, expected {status}")
    ending.__name__ = f"ends_by_{way}"
    test(ending)


for way, status in {"return": 0, "status": 5, "exit": 7, "_exit": 6, "quick_exit": 4, "MPI_Abort": 3, "abort": 134,
                    "fault": 139, "SIGTERM": 143, "SIGKILL": 137, "SIGTERM_after_MPI": 143, "exit_in_thread": 8,
                    "pthread_exit": 0}.items():
    register(way, status)
