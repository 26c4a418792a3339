"""Requests that come together or in quick succession: none is lost and nothing is corrupted."""

import signal
import time

from frame import check, test


def number_of(path):
    return int(path.name.split(".")[0])


def await_quiet(run):
    """Until nothing has been written for a second: a request that came late in a checkpoint makes another one."""
    quiet_since, log = time.monotonic(), None

    def quiet():
        nonlocal quiet_since, log
        if run.log_lines() != log or run.partials() or run.writers():
            quiet_since, log = time.monotonic(), run.log_lines()
        return time.monotonic() - quiet_since > 1
    run.job.await_alive(quiet, "checkpoints go on and on")


def last_number(run):
    return int(run.generations()[-1].name) if run.generations() else 0


@test
def two_requests_at_once(run):
    run.begin()
    run.write_request()
    run.job.signal_ranks(signal.SIGURG, [0])
    run.write_request()
    run.job.signal_ranks(signal.SIGURG, [1])
    run.signal_all()
    run.job.await_alive(lambda: last_number(run) >= 2, "no new generation")
    await_quiet(run)
    run.unharmed(run.generations())
    run.prove()


@test
def same_request_many_times(run):
    """Signals that bring nothing new make no checkpoint."""
    run.begin()
    run.write_request()
    for _ in range(50):
        run.signal_all()
    run.job.await_alive(lambda: last_number(run) == 2, "no generation was committed")
    for _ in range(50):
        run.signal_all()
    run.checkpoint()
    check(last_number(run) == 3, f"generation {last_number(run)} after two requests")
    run.prove()


@test
def request_while_the_last_is_written(run):
    run.begin()
    run.hold_writers()
    run.request()
    first = run.await_helpers("sckpt-writer", "T")
    run.request()
    run.let_writers_go()
    run.job.await_alive(lambda: last_number(run) == 3, "the second request was lost")
    check(not any(pid in first.values() for pid in run.writers().values()), "the first writers are still there")
    lines = [line for line in run.log_lines() if " committed " in line]
    check(len(lines) == 3, f"committed are {lines}")
    run.unharmed(run.generations())
    run.prove()


@test
def twenty_requests_in_two_seconds(run):
    run.begin([16])
    seen = len(run.log_lines())
    for _ in range(20):
        run.request()
        time.sleep(0.1)
        run.job.check_alive()
    begun = max(number_of(path) for path in (run.step / "r0").glob("0*"))
    run.request()
    run.job.await_alive(lambda: last_number(run) > begun, "the last request was lost")
    await_quiet(run)
    lines = run.log_lines(seen)
    check(all(" committed " in line for line in lines), f"not all committed: {lines}")
    check(1 < len(lines) <= 21, f"{len(lines)} checkpoints for 21 requests")
    numbers = [int(line.split()[2]) for line in lines]
    check(numbers == sorted(set(numbers)), f"committed out of order or twice: {numbers}")
    run.unharmed(run.generations())
    run.prove()
