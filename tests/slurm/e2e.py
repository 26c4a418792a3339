#!/usr/bin/python3
"""End-to-end tests on a private Slurm of three nodes: jobs are preempted, requeued, killed, and have to come back.

tests/slurm/e2e.py [--test PATTERN] [--native] [--keep] [--json FILE] [--list]

The program is counter.c, each line of whose output depends on all steps before.  A job that came back has to show the
lines of an undisturbed run, and main() of it has to have begun once only.  Needs root (network namespaces).
"""

import argparse
import fcntl
import fnmatch
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import scancel_tests  # noqa: F401: registers its tests
import serial_tests  # noqa: F401
import start_tests  # noqa: F401
from cluster import ROOT, Cluster, TestFailure, Work, await_condition, check
from suite import (END, GRACE, NODES, PACE, STEPS, TESTS, await_commits, check_restored, check_result, create, difference,
                   make_reference, submit_counter, test)

# --- the cluster and the program, without the product ----------------------------------------------------------------


@test(product=False)
def native_run_is_reproducible(work):
    job = work.submit(work.counter_command(STEPS, 1))
    check_result(work, job)


@test(product=False)
def native_requeue_starts_again(work):
    """The control: without checkpoints the same checks have to fail."""
    job = work.submit(work.counter_command(STEPS, PACE))
    work.await_step(20)
    work.cluster.ordered("scontrol", "requeue", job.id)
    job.await_restart()
    try:
        check_result(work, job)
    except TestFailure as failure:
        check("began 2 times" in str(failure), f"another reason than expected: {failure}")
        return
    raise TestFailure("a job without checkpoints was requeued and passed as restored: the checks see nothing")


# --- requests of Slurm ------------------------------------------------------------------------------------------------


def preempt(work, job):
    """Another job takes the nodes away; this one has to be requeued after a commit, and to come back."""
    work.await_step(60)
    urgent = work.submit("true", partition="high", nodes=NODES, tasks=NODES, options=["--exclusive"])
    job.await_restart()
    reached = work.last_step()
    check(60 <= reached < STEPS, f"the counter stood at step {reached} when it was requeued: nothing was interrupted")
    check(job.events("committed"), f"requeued without a committed checkpoint{job.tail()}")
    urgent.await_state("COMPLETED", timeout=END)
    check_result(work, job)
    check_restored(job)


@test()
def preemption(work):
    preempt(work, submit_counter(work, "on"))


def preempt_script(work, start):
    """The ranks run below a script, which goes on when they have ended: that must happen once, at the end."""
    script, after = work.directory / "run.sh", work.directory / "after"
    script.write_text(f'{start.format(work.counter_command(STEPS, PACE))}\n'
                      f'echo "rank $SLURM_PROCID status $? lines $(wc -l <counts)" >>{after}\n')
    preempt(work, work.submit(f"--checkpoint=on bash {script}"))
    wrote = sorted(after.read_text().splitlines()) if after.exists() else []
    expected = [f"rank {rank} status 0 lines" for rank in range(4)]
    check([line.rsplit(" ", 1)[0] for line in wrote] == expected,
          f"behind the ranks the scripts wrote {wrote}, expected once each of {expected}")
    check(f"rank 0 status 0 lines {STEPS + 1}" in wrote, f"the script of rank 0 went on before its end: {wrote}")


@test()
def preemption_below_script(work):
    preempt_script(work, "{}")


@test()
def preemption_below_subshell(work):
    preempt_script(work, "( cd / && env WRAPPED=1 {} && true )")


@test()
def preemption_below_time(work):
    preempt_script(work, "time numactl --localalloc /usr/bin/time -q -o /dev/null {}")


@test()
def preemption_behind_env(work):
    preempt(work, work.submit(f"--checkpoint=on env WRAPPED=1 {work.counter_command(STEPS, PACE)}"))


@test()
def preemption_behind_exec(work):
    preempt(work, work.submit(f"--checkpoint=on bash -c 'exec {work.counter_command(STEPS, PACE)}'"))


@test()
def requeue(work):
    job = submit_counter(work, "on")
    work.await_step(60)
    work.cluster.ordered("scontrol", "requeue", job.id)
    job.await_restart()
    check_result(work, job)
    check_restored(job)


@test()
def requeue_without_checkpoint(work):
    """Nothing was ever committed: the job starts again, and says so once."""
    job = submit_counter(work, "on=none")
    work.await_step(20)
    work.cluster.ordered("scontrol", "requeue", job.id)
    job.await_restart()
    job.await_state("COMPLETED", timeout=END)
    wrong = difference(work.counts())
    check(not wrong, f"{work.directory}/counts: {wrong}{job.tail()}")
    check(work.starts() == 2, f"the program began {work.starts()} times, expected 2")
    said = [line for line in job.output.read_text().splitlines() if "sckpt" in line]
    check(len(said) == 1 and "starting from the beginning: no checkpoint was committed" in said[0],
          f"not one line that says that the job starts from the beginning: {said}")


@test()
def programs_end_as_natively(work):
    """What srun reports of a task, and exits with."""
    for way in ("return", "status", "exit", "MPI_Abort", "fault"):
        ended = {}
        for name, option in (("native", ()), ("sckpt", ("--checkpoint=on",))):
            directory = work.directory / f"{way}.{name}"
            work.cluster.ordered("mkdir", directory)
            work.cluster.ordered("touch", directory / "go")
            done = work.user("env", f"SCKPT_CASE_DIR={directory}", "srun", "--mpi=pmix", "-p", "low", "-n1", *option,
                             work.build / "tests/faults/endings", way)
            ended[name] = done.returncode, re.findall(r"task 0: (.*)", done.stderr)
            check((directory / "result.0").exists(), f"`{way}`, {name}: the program did not get there: {done.stderr}")
        check(ended["sckpt"] == ended["native"], f"`{way}` ends by {ended['sckpt']}, natively {ended['native']}")


# --- crashes ----------------------------------------------------------------------------------------------------------

INTERVAL = "interval=0:03"


def check_from_last_commit(job):
    def generation(line):  # `<time> r0 0007 committed ...`
        return line.split()[2]

    last = [line for line in job.events("committed") if " r0 " in line][-1]
    restored = [line for line in job.events("restored") if " r1 " in line]
    check(restored and generation(restored[0]) == generation(last),
          f"restored from another generation than the last committed one, {generation(last)}{job.tail()}")


@test()
def killed_rank(work):
    requeue_itself = (' || { [ "${SLURM_RESTART_COUNT:-0}" = 0 ] && scontrol requeue "$SLURM_JOB_ID" && exec sleep 60; '
                      'exit 1; }')
    job = submit_counter(work, f"{INTERVAL} --kill-on-bad-exit=1", otherwise=requeue_itself)
    await_commits(job, 2)
    victims = job.processes(work.counter, rank=3)
    check(len(victims) == 1, f"rank 3 of job {job.id} has processes {victims}, expected one")
    os.kill(victims[0], signal.SIGKILL)
    job.await_restart()
    check_result(work, job, exact_output=False)
    check_restored(job)
    check_from_last_commit(job)


@test()
def crashed_node(work):
    """The node of the batch script dies with everything on it; Slurm notices and requeues the job elsewhere."""
    job = submit_counter(work, INTERVAL)
    await_commits(job, 2)
    node = job.fields()["BatchHost"]
    work.cluster.minislurm("node kill", node)
    try:
        job.await_restart(timeout=150)
        check_result(work, job, exact_output=False)
        check_restored(job)
        check_from_last_commit(job)
    finally:
        work.cluster.minislurm("node start", node)


# --- by hand ----------------------------------------------------------------------------------------------------------


@test()
def create_while_running(work):
    job = submit_counter(work, "on")
    work.await_step(60)
    first = create(work, job)
    check(job.state() == "RUNNING", f"job {job.id} is {job.state()} after sckpt create")
    work.await_step(work.last_step() + 20)
    second = create(work, job)
    check(second != first, f"the second sckpt create brought no new generation: {second}")
    check_result(work, job)
    check(job.restarts() == 0, "the job was requeued")


RESTART = ("srun", "--mpi=pmix", "-p", "low")


def restart_from(work, generation):
    """The user restores it; what comes out has to be that of an undisturbed run."""
    right = work.user(*RESTART, f"--restart-dir={generation}", "-N2", "-n4",
                      *work.counter_command(STEPS, PACE).split(), timeout=END)
    check(right.returncode == 0, f"srun --restart-dir: exit status {right.returncode}: {right.stderr.strip()}")
    lines = work.counts()
    check(not difference(lines), f"{work.directory}/counts: {difference(lines)}")
    check(work.starts() == 1, "srun --restart-dir started the program from its beginning")


@test()
def preemption_without_requeue(work):
    """A job that Slurm may not requeue is checkpointed all the same, and restored by hand."""
    job = submit_counter(work, "on", options=["--no-requeue"])
    work.await_step(60)
    urgent = work.submit("true", partition="high", nodes=NODES, tasks=NODES, options=["--exclusive"])
    await_condition(job.ended, f"job {job.id} ends when it is preempted", GRACE + 60)
    check(job.restarts() == 0, f"job {job.id} was requeued")
    check(job.events("committed"), f"preempted without a committed checkpoint{job.tail()}")
    urgent.await_state("COMPLETED", timeout=END)
    restart_from(work, job.generations()[-1])


@test()
def restart_by_hand(work):
    job = submit_counter(work, "on")
    work.await_step(60)
    generation = create(work, job)
    work.cluster.ordered("scancel", job.id)
    await_condition(job.ended, f"job {job.id} ends after scancel", 60)
    command = work.counter_command(STEPS, PACE).split()
    restart = [*RESTART, f"--restart-dir={generation}"]
    wrong = work.user(*restart, "-N1", "-n3", *command)
    check(wrong.returncode != 0, "srun --restart-dir with 3 ranks accepted a checkpoint of 4")
    check("rank" in wrong.stderr and "4" in wrong.stderr, f"the refusal does not say why: {wrong.stderr.strip()}")
    check(work.starts() == 1, "the refused restart started the program all the same")

    # Rank 0 alone misses its file: all ranks end, instead of waiting for it in MPI_Init.
    away = work.directory / "counts.away"
    (work.directory / "counts").rename(away)
    refused = work.user(*restart, "-N2", "-n4", *command, timeout=60)
    away.rename(work.directory / "counts")
    check(refused.returncode != 0 and "counts" in refused.stderr,
          f"a missing file: exit status {refused.returncode}: {refused.stderr.strip()}")
    check(work.starts() == 1, "the refused restart started the program all the same")

    restart_from(work, generation)


# --- components that are loaded late cannot be set back as well as those that were there from the beginning -----------

LATE = "was loaded after the pristine snapshot"


def check_nothing_late(output, how):
    check("everything done" in output, f"{how}: the program did not reach its end: {output[-800:]}")
    late = sorted({line for line in output.splitlines() if LATE in line})
    check(not late, f"{how}: {'; '.join(late)}")


@test()
def nothing_loaded_late(work):
    program = work.build / "tests/slurm/everything"
    choices = {"the default components": {}, "vader": {"OMPI_MCA_btl": "vader,self,tcp"}, "tcp": {"OMPI_MCA_btl": "tcp,self"}}
    library = work.build / "lib"
    by_hand = {"SCKPT_DIR": work.directory / "step", "SCKPT_SPEC": "on", "SCKPT_LIBDIR": library,
               "LD_PRELOAD": library / "libsckpt.so"}
    for name, settings in choices.items():
        common = [f"{key}={value}" for key, value in settings.items()]
        common += ["SCKPT_LOG=info", "OMPI_MCA_mpi_yield_when_idle=1"]
        done = work.user("env", *common, "srun", "--mpi=pmix", "-p", "low", "-N2", "-n4", "--checkpoint=on", program,
                         work.directory, timeout=120)
        check_nothing_late(done.stdout + done.stderr, f"srun, {name}")
        own = [f"{key}={value}" for key, value in by_hand.items()]
        done = work.user("mpirun", "--oversubscribe", "--bind-to", "none", "-np", "3", "env", *common, *own, program,
                         work.directory, timeout=120)
        check_nothing_late(done.stdout + done.stderr, f"mpirun, {name}")


@test()
def sanitized_program_runs_on(work):
    """The address sanitizer is not the first library any more, and has the address range that a lower half needs."""
    done = work.user("env", "ASAN_OPTIONS=detect_leaks=0", "srun", "--mpi=pmix", "-p", "low", "-N2", "-n4",
                     "--checkpoint=on", work.build / "tests/slurm/sanitized", 50, work.directory / "counts", 1,
                     timeout=120)
    check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr}")
    check("finished 50" in done.stdout, f"the program did not reach its end: {done.stdout}")
    check("running without checkpoints" in done.stderr, f"nothing says that there are no checkpoints: {done.stderr}")


# --- mistakes of the user ---------------------------------------------------------------------------------------------


def check_refused(work, option, words):
    """sbatch and srun refuse the option, say why in words that match, and start nothing."""
    script = work.directory / "job.sh"
    script.write_text(f"#!/bin/bash\ntouch {work.directory}/ran\n")
    direct = ["srun", "-p", "low", "-n1", *option, "touch", work.directory / "ran"]
    for command in (["sbatch", *option, script], direct):
        done = work.user(*command)
        shown = " ".join(map(str, command))
        check(done.returncode != 0, f"`{shown}` was accepted")
        check(re.search(words, done.stderr), f"`{shown}` was refused without naming the reason: {done.stderr.strip()}")
    queue = work.cluster.ordered("squeue", "-h", "-t", "all", "-o", "%o")
    check(str(script) not in queue, "a refused job is in the queue")
    check(not (work.directory / "ran").exists(), "a refused job ran")


@test()
def bad_specification_refused(work):
    check_refused(work, ["--checkpoint=intervall=5"], "intervall")
    check_refused(work, ["--checkpoint=keep=none"], "keep")


@test()
def unwritable_directory_refused(work):
    closed = work.directory / "closed"
    closed.mkdir(mode=0o755)  # by root: the user may not write there
    check_refused(work, ["--checkpoint=on", f"--checkpoint-dir={closed}"], re.escape(str(closed)))
    check_refused(work, ["--checkpoint=on", f"--checkpoint-dir={closed}/none"], re.escape(str(closed)))


# --- the run ----------------------------------------------------------------------------------------------------------


def run_tests(names, cluster, base, build):
    results = {}
    for name in names:
        work = Work(cluster, base, name, build)
        begin = time.monotonic()
        reason = None
        try:
            TESTS[name][0](work)
        except TestFailure as failure:
            reason = str(failure)
        except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
            reason = f"unexpected {type(error).__name__}: {error}"
        try:
            work.end_jobs()
        except TestFailure as failure:
            reason = reason or str(failure)
        results[name] = {"passed": reason is None, "seconds": round(time.monotonic() - begin, 1), "reason": reason}
        print(f"{'ok  ' if reason is None else 'FAIL'} {name} ({results[name]['seconds']} s)", flush=True)
        if reason is not None:
            print(f"  why: {reason}\n  kept: {work.directory}\n  again: tests/slurm/e2e.py --test {name}", flush=True)
    return results


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--test", default="*", metavar="PATTERN", help="names of tests, with * and ?")
    parser.add_argument("--native", action="store_true", help="only what needs no sckpt: the cluster and the program")
    parser.add_argument("--build", default=str(ROOT / "build"), help="build directory")
    parser.add_argument("--dir", default="/var/tmp/sckpt-e2e", help="where the cluster and the tests live")
    parser.add_argument("--again", action="store_true",
                        help="repeat what has failed once more: machines are shared (the first outcome is printed)")
    parser.add_argument("--keep", action="store_true", help="keep the directories of tests that pass, too")
    parser.add_argument("--json", metavar="FILE", help="write the results to FILE")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    return parser.parse_args(arguments)


# More failures than these are no accident.
MOST_AGAIN = 4


def main(arguments):
    options = parse(arguments)
    names = [name for name, (_, product) in TESTS.items()
             if fnmatch.fnmatch(name, options.test) and not (options.native and product)]
    if options.list:
        print("\n".join(names))
        return 0
    if not names:
        print(f"e2e: error: no test matches {options.test}", file=sys.stderr)
        return 2
    build, base = pathlib.Path(options.build).resolve(), pathlib.Path(options.dir)
    library = build / "lib"
    programs = ("slurm/counter", "slurm/deaf", "slurm/everything", "slurm/serial", "slurm/sanitized", "faults/endings",
                "faults/runs_on_static", "faults/runs_on_serial", "faults/runs_on_serial_thread")
    needed = [build / "tests" / name for name in programs]
    if not options.native:
        needed += [library / name for name in ("spank_checkpoint.so", "libsckpt.so", "sckpt")]
    for path in needed:
        if not path.exists():
            print(f"e2e: error: {path} is missing: run `make e2e`, which builds it", file=sys.stderr)
            return 2
    base.parent.mkdir(parents=True, exist_ok=True)
    with open(base.with_name(base.name + ".lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"e2e: error: another run uses {base}: wait for its end, or name another one with --dir",
                  file=sys.stderr)
            return 2
        return run(options, names, build, base, library)


def run(options, names, build, base, library):
    """With `base` to itself; returns the exit status."""
    base.mkdir(exist_ok=True)
    plugstack = None
    if not options.native:
        plugstack = base / "plugstack.conf"
        plugstack.write_text(f"required {library}/spank_checkpoint.so libdir={library}\n")
    with Cluster(base / "cluster", NODES, GRACE, plugstack) as cluster:
        cluster.ordered("true")  # makes the account
        make_reference(cluster, base / "tests", build)
        results = run_tests(names, cluster, base / "tests", build)
        failed = [name for name, result in results.items() if not result["passed"]]
        if options.again and 0 < len(failed) <= MOST_AGAIN:
            print(f"again: {', '.join(failed)}", flush=True)
            results |= run_tests(failed, cluster, base / "tests", build)
    for name, result in results.items():
        if result["passed"] and not options.keep:
            shutil.rmtree(base / "tests" / name, ignore_errors=True)
    failed = sum(not result["passed"] for result in results.values())
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    if not failed and not options.keep:
        shutil.rmtree(base)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except TestFailure as failure:
        print(f"e2e: error: {failure}", file=sys.stderr)
        sys.exit(2)
