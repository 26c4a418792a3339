"""A checkpoint fails while it is written: somebody kills a helper, or a file or directory is not there."""

import os
import shutil
import signal

from frame import check, state_of, signal_if_there, test
from launch import CaseFailure

MIDWAY_MIB = 256  # written for some tenths of a second, in which the writer is caught


def kill_writer_before_it_begins(run, rank):
    valid = run.begin()
    run.hold_writers()
    run.request()
    writers = run.await_helpers("sckpt-writer", "T")
    os.kill(writers[rank], signal.SIGKILL)
    run.let_writers_go()
    run.await_failure(rf"rank {rank}: .*killed")
    run.unharmed(valid)
    run.prove()


def catch_midway(run, rank):
    """Lets the writers begin and stops that of `rank` in the middle of its file; returns its pid."""
    run.hold_writers()
    run.request()
    writer = run.await_helpers("sckpt-writer", "T")[rank]
    run.let_writers_go()
    files = lambda: list(run.step.glob(f"r*/*.partial/rank{rank:05}.h5.tmp"))  # noqa: E731

    def caught():
        if not files():
            return None
        os.kill(writer, signal.SIGSTOP)
        return True
    run.job.await_alive(caught, "the writer does not begin")
    run.job.await_alive(lambda: state_of(writer) == "T", "the writer does not stop")
    check(files(), "the writer was too fast to be caught in the middle of its file")
    return writer


def kill_writer_midway(run, rank):
    valid = run.begin([MIDWAY_MIB])
    os.kill(catch_midway(run, rank), signal.SIGKILL)
    run.await_failure(rf"rank {rank}: .*killed")
    run.unharmed(valid)
    run.prove()


@test
def writer_of_rank_0_killed_at_once(run):
    kill_writer_before_it_begins(run, 0)


@test
def writer_of_rank_1_killed_at_once(run):
    kill_writer_before_it_begins(run, 1)


@test
def writer_of_rank_0_killed_midway(run):
    kill_writer_midway(run, 0)


@test
def writer_of_rank_1_killed_midway(run):
    kill_writer_midway(run, 1)


@test
def all_writers_killed(run):
    valid = run.begin()
    run.hold_writers()
    run.request()
    for pid in run.await_helpers("sckpt-writer", "T").values():
        os.kill(pid, signal.SIGKILL)
    run.let_writers_go()
    run.await_failure("rank 0: .*killed")
    run.unharmed(valid)
    run.prove()


@test
def snapshot_killed_before_it_is_read(run):
    valid = run.begin()
    run.hold_writers()
    run.request()
    run.await_helpers("sckpt-writer", "T")
    os.kill(run.await_helpers("sckpt-snapshot")[1], signal.SIGKILL)
    run.let_writers_go()
    run.await_failure("rank 1: process [0-9]+ ended before it was saved")
    run.unharmed(valid)
    run.prove()


@test
def snapshot_killed_while_it_is_read(run):
    valid = run.begin([MIDWAY_MIB])
    writer = catch_midway(run, 0)
    os.kill(run.await_helpers("sckpt-snapshot")[0], signal.SIGKILL)
    os.kill(writer, signal.SIGCONT)
    run.await_failure("rank 0: process [0-9]+ ended before it was saved")
    run.unharmed(valid)
    run.prove()


@test
def writer_missing(run):
    valid = run.begin()
    writer, aside = run.library / "sckpt-writer", run.library / "aside"
    writer.rename(aside)
    run.request()
    run.await_failure("rank 0: sckpt-writer cannot be executed")
    run.unharmed(valid)
    aside.rename(writer)
    run.prove()


@test
def directory_removed_while_writing(run):
    run.begin()
    run.hold_writers()
    run.request()
    run.await_helpers("sckpt-writer", "T")
    shutil.rmtree(run.step)
    run.let_writers_go()
    run.await_failure("cannot create .*: No such file or directory")
    (run.step / "r0").mkdir(parents=True)
    run.unharmed([])
    run.prove()


@test
def directory_removed_before_the_request(run):
    """The step's directory is made again."""
    run.begin()
    run.job.await_alive(lambda: not run.writers(), "the first writers do not end")  # they still write the log
    shutil.rmtree(run.step)
    run.write_request()
    run.signal_all()
    run.job.await_alive(lambda: len(run.generations()) == 1, "no generation was committed")
    run.prove()


@test
def lower_half_missing(run):
    """The program runs without checkpoints and its result is right."""
    (run.library / "libsckpt_lower.so").unlink()
    run.begin(checkpoints=0)
    check("cannot load the lower half" in run.output(), f"nothing was said: {run.output()[:400]}")
    check("running without checkpoints" in run.output(), f"not said what follows from it: {run.output()[:400]}")
    run.write_request()
    run.signal_all()
    run.finish()
    check(not run.generations(), "a checkpoint without the lower half")


def kill_rank(run, rank):
    valid = run.begin()
    run.hold_writers()
    run.request()
    writers = run.await_helpers("sckpt-writer", "T")
    os.kill(run.job.pids()[rank], signal.SIGKILL)
    run.let_writers_go()
    for pid in writers.values():
        signal_if_there(pid, signal.SIGCONT)
    older = valid[-1]
    run.job.kill()
    run.incarnation += 1
    newest = sorted((run.step / "r0").glob("[0-9]*[0-9]"))[-1]  # the writers may have finished without the rank
    run.start(run.restart_point_of(newest))
    run.job.await_alive(lambda: sum(f" r1 {newest.name} restored rank" in line for line in run.log_lines()) == run.ranks,
                        "not all ranks were restored")
    check(older.name <= newest.name, "an older generation than the committed one")
    run.prove()


@test
def rank_0_killed_while_written(run):
    kill_rank(run, 0)


@test
def rank_1_killed_while_written(run):
    kill_rank(run, 1)


@test
def rank_killed_during_a_checkpoint(run):
    """At random moments after the request: the newest generation that was committed restores."""
    valid = run.begin([32])
    for _ in range(4):
        run.request()
        signal.sigtimedwait([], run.random.uniform(0, 0.1))
        os.kill(run.job.pids()[run.random.randrange(run.ranks)], signal.SIGKILL)
        run.job.kill()
        run.incarnation += 1
        newest = committed(run) or valid[-1]
        run.start(run.restart_point_of(newest))
        restored(run, newest)
        run.checkpoint()
    run.prove()


def committed(run):
    found = sorted(run.step.glob("r*/[0-9]*[0-9]"), key=lambda p: (int(p.parent.name[1:].split(".")[0]), int(p.name)))
    return found[-1] if found else None


def restored(run, generation):
    wanted = f" r{run.incarnation} {generation.name} restored rank"
    run.job.await_alive(lambda: sum(wanted in line for line in run.log_lines()) == run.ranks, "not all ranks were restored")


@test
def every_writer_killed_at_random_moments(run):
    """Whatever was reached: a generation is either valid or not there."""
    run.begin([32])
    for _ in range(6):
        known, seen = len(run.generations()), len(run.log_lines())
        run.request()
        victims = run.job.await_alive(run.writers, "no writer")
        victim = run.random.choice(sorted(victims.values()))
        moment = run.random.uniform(0, 0.05)
        signal.sigtimedwait([], moment)
        signal_if_there(victim, signal.SIGKILL)

        def decided():
            return [line for line in run.log_lines(seen) if " failed " in line or " committed " in line]
        run.job.await_alive(decided, "neither committed nor failed")
        try:
            run.unharmed(run.generations())
        except CaseFailure as failure:
            raise CaseFailure(f"after {moment:.3f} s: {failure}") from None
        check(run.generations() or not known, "all generations are gone")
    run.prove()
