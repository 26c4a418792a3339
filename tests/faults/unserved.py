"""Programs that cannot be checkpointed run on: they print, find and end as natively, and the user is told once."""

import re
import shutil
import types

from frame import FaultRun, check, test
from launch import await_that


def outcome(run, name, program, wrapper, environment, ranks, native):
    """Lines of program and checker, and of the shell above that tells how they ended; of all ranks, sorted."""
    options = types.SimpleNamespace(**vars(run.options))
    options.native = native
    job = FaultRun(run.case.name, options, run.directory / name)
    job.case.program, *job.case.arguments = map(str, program)
    job.case.wrapper, job.case.launcher = wrapper, ["sh", "-c", '"$@"; echo "status $?"', "sh"]
    job.case.environment, job.ranks = environment, ranks
    try:
        job.start()
        job.job.await_ready()
        if not native:
            check_told(job)
        (job.directory / "go").touch()
        mpirun = job.job.mpirun
        await_that(lambda: mpirun.poll() is not None, options.timeout, f"{name}: the job does not end")
        job.job.nothing_left()
        check(job.ranks == len(list(job.directory.glob("result.*"))), f"{name}: not every rank came to its end: {job.output()}")
        return sorted(map(comparable, filter(telling, job.output().splitlines())))
    finally:
        job.end()


def check_told(job):
    """Once on standard error, once in the log, and for `sckpt create` by every rank."""
    said = [line for line in job.output().splitlines() if line.startswith("sckpt: ")]
    check(len(said) == 1 and "without checkpoints" in said[0], f"not one sentence: {said}: {job.output()}")
    logged = [line for line in job.log_lines() if " unserved " in line]
    check(len(logged) == 1 and said[0].split("warning: ")[1] in logged[0], f"the log says {logged}, the user was told {said}")
    notes = {path.name: path.read_text() for path in (job.step / "r0").glob("unserved.*")}
    check(sorted(notes) == [f"unserved.{rank}" for rank in range(job.ranks)], f"`sckpt create` would find {notes}")
    check(all(note in said[0] for note in notes.values()), f"`sckpt create` would find {notes}, the user was told {said}")


def telling(line):
    return re.match(r"begun|sum \d|status \d|SUMMARY|.*(ERROR SUMMARY|in use at exit|total heap usage|ERROR: \w+Sanitizer)", line)


def comparable(line):
    return re.sub(r"^==\d+==|\(.*/", "", line).strip()


def runs_on(run, program, checker=(), wrapper=(), environment=None, ranks=2):
    program = [*checker, run.options.build / "tests/faults" / program, 5]
    native = outcome(run, "native", program, list(wrapper), environment or {}, ranks, native=True)
    check(len([line for line in native if re.match("status [59]", line)]) == ranks, f"natively {native}: this tests nothing")
    got = outcome(run, "sckpt", program, list(wrapper), environment or {}, ranks, native=False)
    check(got == native, f"the programs end and print {got}, natively {native}")


VALGRIND = ["valgrind", "--leak-check=full", "--error-exitcode=9"]
# Leaks are looked for with ptrace, which not every machine that runs tests allows; Open MPI has some.  What the plugin
# puts into ASAN_OPTIONS is here in the first place.
OPTIONS = {"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0", "LSAN_OPTIONS": "detect_leaks=0",
           "TSAN_OPTIONS": "report_bugs=0"}


def register(name, *arguments, **options):
    def runs(run):
        for words in (options.get("wrapper"), options.get("checker")):
            check(not words or shutil.which(words[0]), f"{words and words[0]} is not installed: run make deps")
        runs_on(run, *arguments, **options)
    runs.__name__ = f"runs_on_{name}"
    test(runs)


for sanitizer in ("address", "leak", "thread"):
    register(f"with_{sanitizer}_sanitizer", f"runs_on_{sanitizer}", environment=OPTIONS)
register("with_address_sanitizer_below_script", "runs_on_address",
         wrapper=["bash", "-c", 'export ASAN_OPTIONS=detect_leaks=0; "$@"; exit $?', "bash"])
register("with_sanitizer_without_mpi", "runs_on_serial_thread", wrapper=["bash", "-c", '"$@"; exit $?', "bash"],
         environment=OPTIONS)
register("under_valgrind", "runs_on", checker=[*VALGRIND, "--leak-check=no", "-q"], ranks=1)
register("under_valgrind_without_mpi", "runs_on_serial", checker=VALGRIND)
register("under_valgrind_below_shell", "runs_on_serial", checker=VALGRIND, wrapper=["bash", "-c", '"$@"; exit $?', "bash"])
register("under_valgrind_in_children", "runs_on_serial", checker=[*VALGRIND, "--trace-children=yes", "env", "A=B"])
register("static_below_shell", "runs_on_static", wrapper=["bash", "-c", '"$@"; exit $?', "bash"])
register("static_behind_exec", "runs_on_static", wrapper=["sh", "-c", 'exec "$@"', "sh"])
register("static_behind_env", "runs_on_static", wrapper=["env", "CASE_WRAPPED=yes"])
register("static_below_time", "runs_on_static", wrapper=["/usr/bin/time", "-q", "-o", "/dev/null"])
