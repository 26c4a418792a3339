"""What the tests of e2e.py share: their list, the undisturbed run of the counter, and what a job must show to be like it."""

import re

from cluster import Work, await_condition, check

STEPS, PACE = 400, 30  # steps and milliseconds of each: 12 s when nothing disturbs
END = 180              # seconds within which a job that was disturbed has to be through
NODES, GRACE = 3, 30   # one node more than a job needs: a crashed one is replaced

TESTS = {}         # name -> (function, whether it needs the product)
REFERENCE = []     # lines of an undisturbed run


def test(product=True):
    def register(function):
        TESTS[function.__name__] = (function, product)
        return function

    return register


def make_reference(cluster, base, build):
    """Runs the counter undisturbed and without sckpt; the pace does not change its values."""
    work = Work(cluster, base, "reference", build)
    cluster.ordered("srun", "--mpi=pmix", "-p", "low", "-N2", "-n4", *work.counter_command(STEPS, 0).split(),
                    cwd=work.directory, timeout=120)
    REFERENCE[:] = work.counts()
    check(len(REFERENCE) == STEPS + 1, f"the undisturbed run wrote {len(REFERENCE)} lines, expected {STEPS + 1}")


def difference(lines):
    """Where lines leave the reference, in words; empty when they are identical."""
    for index, (got, expected) in enumerate(zip(lines, REFERENCE)):
        if got != expected:
            return f"line {index + 1} is `{got}`, undisturbed `{expected}`"
    return "" if len(lines) == len(REFERENCE) else f"{len(lines)} lines, undisturbed {len(REFERENCE)}"


def printed(job):
    return [line for line in job.output.read_text().splitlines() if re.match(r"(step|finished) \d+ ", line)]


def check_result(work, job, exact_output=True):
    """The job is through, main() began once, and nothing is lost, doubled or different."""
    job.await_state("COMPLETED", timeout=END)
    wrong = difference(work.counts())
    check(not wrong, f"{work.directory}/counts: {wrong}{job.tail()}")
    starts = work.starts()
    check(starts == 1, f"the program began {starts} times: it was not restored but started again{job.tail()}")
    output = printed(job)
    if exact_output:
        wrong = difference(output)
        check(not wrong, f"{job.output}: {wrong}")
    else:  # what was printed between the commit and a crash appears twice (README, limits)
        once = list(dict.fromkeys(output))
        check(once == REFERENCE, f"{job.output}: a line is missing or differs from the undisturbed run")


def check_restored(job):
    check(job.restarts() >= 1, f"job {job.id} was not requeued")
    restored = job.events("restored")
    check(any(" r1 " in line for line in restored), f"the step's log does not tell of a restore in r1{job.tail()}")


def submit_counter(work, spec, **options):
    return work.submit(f"--checkpoint={spec} {work.counter_command(STEPS, PACE)}", **options)


def create(work, job):
    """`sckpt create` by the user; returns the committed generation."""
    done = work.user(work.build / "lib/sckpt", "create", job.id, timeout=90)
    check(done.returncode == 0, f"sckpt create: exit status {done.returncode}: {done.stderr.strip()}{job.tail()}")
    check(job.generations(), f"sckpt create succeeded, but there is no generation below {work.directory}")
    newest = job.generations()[-1]
    check(newest.name in done.stdout, f"sckpt create printed `{done.stdout.strip()}`, not the generation {newest}")
    return newest


def await_commits(job, number):
    await_condition(lambda: len(job.events("committed")) >= number, f"{number} checkpoints by interval{job.tail()}", 90)
