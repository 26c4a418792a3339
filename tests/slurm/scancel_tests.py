"""End-to-end tests of scancel: a job with checkpoints ends as promptly as one without; part of e2e.py, which runs them."""

import time

from cluster import await_condition, check
from suite import PACE, STEPS, test

# What may be added to the native time: one question to Slurm and one look at the verdict.  Far below KillWait, after
# which Slurm would end by SIGKILL what has not ended by itself.
ALLOWED = 3.0


def cancel(work, job, program):
    """Seconds from scancel until no process of the job is left."""
    begin = time.monotonic()
    work.cluster.ordered("scancel", job.id)
    await_condition(job.ended, f"job {job.id} ends after scancel", 60)
    await_condition(lambda: not job.processes(program), f"no task of job {job.id} is left", 60)
    seconds = time.monotonic() - begin
    check(job.state() == "CANCELLED", f"job {job.id} is {job.state()} after scancel")
    check(job.restarts() == 0, f"job {job.id} was requeued after scancel")
    return seconds


def check_prompt(native, seconds):
    check(seconds < native + ALLOWED, f"scancel took {seconds:.1f} s with checkpoints, {native:.1f} s without")


@test()
def scancel_ends_promptly(work):
    seconds = {}
    for name, option in (("native", ""), ("sckpt", "--checkpoint=on "), ("again", "--checkpoint=on ")):
        job = work.submit(option + work.counter_command(STEPS * 100, PACE, name))
        work.await_step(10, name)
        seconds[name] = cancel(work, job, work.counter)
    check_prompt(seconds["native"], max(seconds["sckpt"], seconds["again"]))


@test()
def scancel_ends_script_promptly(work):
    script = work.directory / "run.sh"
    script.write_text(f"{work.counter_command(STEPS, PACE)}\ntouch {work.directory}/after\n")
    job = work.submit(f"--checkpoint=on bash {script}")
    work.await_step(20)
    cancel(work, job, work.counter)
    check(not (work.directory / "after").exists(), "the script went on after its rank had been cancelled")


@test()
def scancel_reaches_ranks_in_collectives(work):
    """Who waits in a barrier hears no message; its handler of SIGTERM runs all the same, in the time that it runs natively."""
    program = work.build / "tests/slurm/deaf"
    for computing in (0, 3):
        seconds = {}
        for name, option in (("native", ""), ("sckpt", "--checkpoint=on ")):
            directory = work.directory / f"{name}{computing}"
            work.cluster.ordered("mkdir", directory)
            job = work.submit(f"{option}{program} {directory} {computing}")
            await_condition(lambda directory=directory: len(list(directory.glob("ready.*"))) == 4, "all ranks begin", 60)
            seconds[name] = cancel(work, job, program)
            handled = sorted(path.name for path in directory.glob("term.*"))
            check(len(handled) == 4, f"{name}, rank {computing} computes: SIGTERM was handled in {handled} only")
        check_prompt(seconds["native"], seconds["sckpt"])
