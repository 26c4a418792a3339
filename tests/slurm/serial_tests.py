"""End-to-end tests of tasks that never call MPI; part of e2e.py, which runs them."""

import subprocess

from cluster import await_condition, check
from suite import END, NODES, PACE, STEPS, await_commits, check_restored, create, test


def submit_serial(work, spec, tasks, start="{}", steps=STEPS, nodes=None):
    command = f"{work.build}/tests/slurm/serial {steps} {work.directory}/serial {PACE}"
    return work.submit(f"--mpi=none --checkpoint={spec} {start.format(command)}", nodes=nodes or tasks, tasks=tasks)


def serial_reference(work, task, steps=STEPS):
    """What task `task` writes when nothing disturbs it."""
    plain = work.directory / "plain"
    subprocess.run([work.build / "tests/slurm/serial", str(steps), plain, "0"], check=True, timeout=60,
                   env={"SLURM_PROCID": str(task)})
    return plain.with_name(f"plain.{task}").read_text().splitlines()


def preempt_serial(work, tasks, start="{}"):
    job = submit_serial(work, "on", tasks, start)
    for task in range(tasks):
        work.await_step(60, f"serial.{task}")
    urgent = work.submit("true", partition="high", nodes=NODES, tasks=NODES, options=["--exclusive"])
    job.await_restart()
    committed = job.events("committed")
    check(len(committed) == 1 and f"committed {tasks} ranks" in committed[0],
          f"expected one commit of all {tasks} tasks together: {committed}{job.tail()}")
    urgent.await_state("COMPLETED", timeout=END)
    job.await_state("COMPLETED", timeout=END)
    check_restored(job)
    for task in range(tasks):
        check(work.counts(f"serial.{task}") == serial_reference(work, task), f"task {task} wrote something else")
        check(work.starts(f"serial.{task}") == 1, f"task {task} was started again instead of being restored")


@test()
def serial_preemption(work):
    preempt_serial(work, 1)


@test()
def serial_tasks_preempted_together(work):
    preempt_serial(work, 2)


@test()
def serial_preemption_below_script(work):
    script = work.directory / "run.sh"
    script.write_text(f'"$@"\necho "status $?" >>{work.directory}/after\n')
    preempt_serial(work, 1, f"bash {script} {{}}")
    check((work.directory / "after").read_text() == "status 0\n", "the script did not go on exactly once, at the end")


@test()
def serial_tasks_create(work):
    """Two tasks by `sckpt create`, twice; then when one has ended, which must be said and must not hurt the other."""
    many = STEPS * 3  # the task that stays has to be there when the patience with the other is over
    steps = f"$((SLURM_PROCID ? {STEPS // 2} : {many}))"
    # On one node: Slurm cannot signal a step any more of which a node is through.
    job = submit_serial(work, "on", 2, "bash -c 'exec {}'", steps, nodes=1)
    for task in range(2):
        work.await_step(30, f"serial.{task}")
    first = create(work, job)
    second = create(work, job)
    check(second != first, f"the second sckpt create brought no new generation: {second}")
    await_condition(lambda: not job.processes(work.build / "tests/slurm/serial", rank=1), "task 1 ends", END)
    done = work.user(work.build / "lib/sckpt", "create", job.id, timeout=90)
    check(done.returncode != 0, "sckpt create succeeded with one of two tasks gone")
    check("task 1 does not answer" in done.stderr, f"sckpt create does not name the task: {done.stderr.strip()}")
    job.await_state("COMPLETED", timeout=END)
    check(work.counts("serial.0") == serial_reference(work, 0, many), "task 0 wrote something else")


@test()
def serial_interval(work):
    job = submit_serial(work, "interval=0:03", 2)
    await_commits(job, 2)
    check(all("committed 2 ranks" in line for line in job.events("committed")), f"not all tasks{job.tail()}")
    check(not job.events("failed") and not job.events("declined"), f"a checkpoint was not taken{job.tail()}")


@test()
def serial_scancel_ends_promptly(work):
    script = work.directory / "run.sh"
    script.write_text('"$@"\n')
    for start in ("{}", f"bash {script} {{}}"):
        job = submit_serial(work, "on", 2, start, steps=STEPS * 100)
        for task in range(2):
            work.await_step(10, f"serial.{task}")
        work.cluster.ordered("scancel", job.id)
        await_condition(job.ended, f"job {job.id} ends after scancel", 10)
        await_condition(lambda job=job: not job.processes(work.build / "tests/slurm/serial"), "no task is left", 5)
        check(not job.events("committed"), "a checkpoint was taken for scancel")


@test()
def serial_pipeline_declined(work):
    """Two programs in a task: neither is the task.  It is said, and the script runs on."""
    script = work.directory / "run.sh"
    script.write_text('"$@" | cat\n')
    job = submit_serial(work, "on", 1, f"bash {script} {{}}")
    work.await_step(30, "serial.0")
    done = work.user(work.build / "lib/sckpt", "create", job.id, timeout=90)
    check(done.returncode != 0 and "pipeline" in done.stderr, f"sckpt create: {done.returncode} {done.stderr.strip()}")
    job.await_state("COMPLETED", timeout=END)
    check(work.counts("serial.0") == serial_reference(work, 0), "the program wrote something else")
