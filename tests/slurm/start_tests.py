"""End-to-end tests of how programs are started and which cannot be served; part of e2e.py, which runs them."""

import shutil
import time

from cluster import await_condition, check
from suite import END, test

ANSWER = 15  # seconds within which `sckpt create` has to say that it is in vain; a checkpoint has ten minutes


def runs_on(work, program, words, start="{}"):
    """The user is told once, `sckpt create` is answered, and the program ends as it would without us."""
    directory = work.directory / f"case{len(work.jobs)}"
    work.cluster.ordered("mkdir", directory)
    job = work.submit(f"--export=ALL,SCKPT_CASE_DIR={directory} --checkpoint=on {start.format(f'{program} 5')}", tasks=2)
    await_condition(lambda: len(list(directory.glob("ready.*"))) == 2, f"both tasks begin{job.tail()}", 60)
    begin = time.monotonic()
    done = work.user(work.build / "lib/sckpt", "create", job.id, timeout=60)
    seconds = time.monotonic() - begin
    check(done.returncode != 0 and words in done.stderr, f"sckpt create: {done.returncode} {done.stderr.strip()}")
    check(seconds < ANSWER, f"sckpt create took {seconds:.1f} s to say so")
    work.cluster.ordered("touch", directory / "go")
    await_condition(job.ended, f"job {job.id} ends", END)
    check(job.fields()["ExitCode"] == "5:0", f"the job ended with {job.fields()['ExitCode']}{job.tail()}")
    output = job.output.read_text()
    check(output.count("sum 1") == 2, f"the program did not reach its end: {output}")
    said = [line for line in output.splitlines() if "sckpt: " in line]
    check(len(said) == 1 and words in said[0], f"not one sentence that says why: {said}")


BELOW = ("{}", "bash -c '{}; exit $?'", "env CASE_WRAPPED=yes {}")


@test()
def static_program_runs_on(work):
    for start in BELOW:
        runs_on(work, work.build / "tests/faults/runs_on_static", "runs_on_static is statically linked", start)


@test()
def setuid_program_runs_on(work):
    program = work.directory / "setuid"
    shutil.copy(work.build / "tests/faults/runs_on_serial", program)
    program.chmod(0o4755)  # of root, whom the user is not
    for start in BELOW:
        runs_on(work, program, "setuid has the set-user-ID or set-group-ID bit", start)


@test()
def valgrind_runs_on(work):
    runs_on(work, work.build / "tests/faults/runs_on_serial", "under valgrind", "valgrind -q --leak-check=no {}")


@test()
def sanitized_program_is_answered(work):
    runs_on(work, work.build / "tests/faults/runs_on_serial_thread", "thread sanitizer")
