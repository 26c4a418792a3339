"""A checkpoint fails because a resource is used up or forbidden."""

import resource

from frame import check, test

DISK = 512 << 20


@test
def disk_full(run):
    run.mount(DISK)
    valid = run.begin([32])
    run.remount(f"size={run.used() + (48 << 20)}")  # room for one rank and a half
    run.request()
    run.await_failure("No space left on device")
    run.unharmed(valid)
    run.remount(f"size={DISK}")
    run.prove()


@test
def disk_full_to_the_last_byte(run):
    run.mount(DISK)
    valid = run.begin([32])
    run.write_request()
    run.remount(f"size={run.used()}")
    run.signal_all()
    run.await_failure("No space left on device")
    run.unharmed(valid)
    run.remount(f"size={DISK}")
    run.prove()


@test
def directory_read_only(run):
    run.mount(DISK)
    valid = run.begin()
    run.write_request()
    run.remount("ro")
    run.signal_all()
    run.await_failure("Read-only file system")
    run.unharmed(valid)
    run.remount("rw")
    run.prove()


@test(ordinary_user=True)
def directory_not_writable(run):
    valid = run.begin()
    run.write_request()
    (run.step / "r0").chmod(0o500)
    run.signal_all()
    run.await_failure("Permission denied")
    run.unharmed(valid)
    (run.step / "r0").chmod(0o700)
    run.prove()


def with_limit(run, kind, value, words, limited=(0, 1)):
    """A checkpoint while these ranks are limited: fails for that reason, and the job does not mind."""
    valid = run.begin()
    before = {pid: resource.prlimit(pid, kind) for rank, pid in run.job.pids().items() if rank in limited}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, kind, (value(pid), hard))
    run.request()
    run.await_failure(words)
    run.unharmed(valid)
    for pid, old in before.items():
        resource.prlimit(pid, kind, old)
    run.prove()


@test
def file_size_limit_for_the_image(run):
    with_limit(run, resource.RLIMIT_FSIZE, lambda pid: 4 << 20, "File too large")


@test
def file_size_limit_for_anything(run):
    """Too small even for what the rank hands to its writer, who says so by SIGXFSZ."""
    with_limit(run, resource.RLIMIT_FSIZE, lambda pid: 1024, "File too large")


@test
def descriptors_used_up(run):
    """In one rank: it hears of the request from the other, since it cannot read the file of it."""
    with_limit(run, resource.RLIMIT_NOFILE, lambda pid: 3, "rank 1: .*Too many open files", limited=[1])


@test(ordinary_user=True)
def processes_used_up(run):
    with_limit(run, resource.RLIMIT_NPROC, lambda pid: 1, "cannot start .*: Resource temporarily unavailable")


@test
def address_space_used_up(run):
    """The rank's own records cannot get another page."""
    with_limit(run, resource.RLIMIT_AS, lambda pid: 1 << 20, "no memory left for the records")


@test
def no_memory_for_a_snapshot(run):
    """The kernel refuses to copy the process: it is read in place, at rest."""
    run.begin([64, "vast"], checkpoints=0)
    run.hold_writers()
    run.request()
    run.await_helpers("sckpt-writer", "T")
    check(not run.helpers("sckpt-snapshot"), "the kernel made a snapshot all the same: this tests nothing here")
    run.let_writers_go()
    run.job.await_alive(run.generations, "no generation was committed")
    run.prove()


@test
def frozen_writer_does_not_freeze_the_job(run):
    """The ranks run on while nobody writes, and the next checkpoint waits for the one before."""
    run.begin()
    run.hold_writers()
    run.request()
    writers = run.await_helpers("sckpt-writer", "T")
    check(all(pid in writers.values() for pid in run.writers().values()), "other writers than a moment ago")
    used = {pid: cpu(pid) for pid in run.job.pids().values()}
    run.job.await_alive(lambda: all(cpu(pid) > before for pid, before in used.items()), "the ranks do not run on")
    run.let_writers_go()
    run.job.await_alive(lambda: len(run.generations()) == 2, "no generation was committed")
    run.prove()


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return sum(int(word) for word in file.read().rpartition(")")[2].split()[11:13])


