"""Restores that must not be made: refused in the rank, end to end, and the checkpoint stays as it was."""

import fcntl
import os
import pathlib
import shutil

from frame import FaultRun, check, test
from launch import CaseFailure
from run import ROOT

FILE_BYTES = 5000


def mix(value):
    """As in tests/lib/testcase.c."""
    mask = (1 << 64) - 1
    value = (value + 0x9e3779b97f4a7c15) & mask
    value = ((value ^ (value >> 30)) * 0xbf58476d1ce4e5b9) & mask
    value = ((value ^ (value >> 27)) * 0x94d049bb133111eb) & mask
    return value ^ (value >> 31)


def filled(count, seed):
    return b"".join(mix((seed * 0x100000001b3 + i) & ((1 << 64) - 1)).to_bytes(8, "little")
                    for i in range(0, count, 8))[:count]


def saved(run, arguments=("8",)):
    """A job that was checkpointed and killed: where to restore it from."""
    run.begin(arguments)
    return run.fence(run.generations()[-1])


def refused_without(run, point, path, words):
    """Refused while `path` is away, restored when it is there again."""
    aside = run.directory / "aside"
    path.rename(aside)
    run.expect_refusal(point, words)
    aside.rename(path)
    run.restores(point)


def refused_when_changed(run, point, path, change, words):
    """Refused while `path` has other contents, restored when it has its own again."""
    run.expect_refusal_when(point, path, change, words)
    run.restores(point)


@test
def rank_file_truncated(run):
    point = saved(run)
    path = point / "rank00001.h5"
    refused_when_changed(run, point, path, lambda p: os.truncate(p, p.stat().st_size // 2), "rank00001.h5")


@test
def rank_file_empty(run):
    point = saved(run)
    refused_when_changed(run, point, point / "rank00000.h5", lambda p: os.truncate(p, 0), "rank00000.h5")


def flip(position):
    def change(path):
        with open(path, "r+b") as file:
            file.seek(position(path.stat().st_size))
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
    return change


@test
def bit_flipped_in_the_pages(run):
    point = saved(run)
    path = point / "rank00001.h5"
    refused_when_changed(run, point, path, flip(lambda size: size // 2), "rank00001.h5.*(damaged|checksum|differ)")


@test
def bit_flipped_in_the_manifest(run):
    point = saved(run)
    manifest = point / "job.h5"
    for inside in (b"rank00001.h5", b"<topology"):
        at = manifest.read_bytes().rindex(inside) + 5  # the first are names of links, for other readers than us
        run.expect_refusal_when(point, manifest, flip(lambda _, at=at: at), "job.h5")
    run.restores(point)


@test
def rank_file_missing(run):
    point = saved(run)
    refused_without(run, point, point / "rank00001.h5", "rank00001.h5.*(No such file|missing|not there)")


@test
def manifest_missing(run):
    point = saved(run)
    refused_without(run, point, point / "job.h5", "not a committed checkpoint: it has no job.h5")


def take_from_another_step(run, name):
    """The file of that name of the same generation of another job of the same program."""
    other = FaultRun(run.case.name, run.options, run.directory / "other")
    try:
        stolen = saved(other, ("9",)) / name
        kept = run.directory / f"other-{name}"
        shutil.copy2(stolen, kept)
    finally:
        other.end()
    return lambda path: shutil.copy2(kept, path)


@test
def manifest_of_another_step(run):
    change = take_from_another_step(run, "job.h5")
    point = saved(run)
    refused_when_changed(run, point, point / "job.h5", change, r"rank0000\d.h5")


@test
def rank_file_of_another_step(run):
    change = take_from_another_step(run, "rank00001.h5")
    point = saved(run)
    refused_when_changed(run, point, point / "rank00001.h5", change, "rank00001.h5")


@test
def rank_files_exchanged(run):
    point = saved(run)
    refused_when_changed(run, point, point / "rank00001.h5", lambda p: shutil.copy2(point / "rank00000.h5", p),
                         "rank00001.h5")


def other_number_of_ranks(run, ranks):
    point = saved(run)
    run.expect_refusal(point, rf"2 ranks.*\b{ranks}\b", ranks=ranks)
    run.restores(point)


@test
def more_ranks(run):
    other_number_of_ranks(run, 3)


@test
def fewer_ranks(run):
    other_number_of_ranks(run, 1)


@test
def library_missing(run):
    library = run.directory / "libprivate.so"
    shutil.copy2(run.options.build / "cases/lib/libcase_plugin.so", library)
    point = saved(run, ("8", f"plugin={library}"))
    refused_without(run, point, library, "libprivate.so cannot be used here: No such file")


@test
def library_of_another_version(run):
    library = run.directory / "libprivate.so"
    shutil.copy2(run.options.build / "cases/lib/libcase_plugin.so", library)
    point = saved(run, ("8", f"plugin={library}"))
    other = run.options.build / "lib/libsckpt_lower.so"
    refused_when_changed(run, point, library, lambda p: replace_file(other, p), "libprivate.so is another version")


def replace_file(source, target):
    target.unlink()
    shutil.copy2(source, target)


@test
def executable_rebuilt(run):
    program = run.directory / "steady"
    shutil.copy2(run.case.program, program)
    run.case.program = program
    point = saved(run)
    other = run.options.build / "cases/heap_busy"
    refused_when_changed(run, point, program, lambda p: replace_file(other, p), "steady is another version")


def saved_with_file(run, name="data", by="file", spec="on"):
    run.case.spec = spec
    file = run.directory / name
    file.write_bytes(filled(FILE_BYTES, 77))
    return file, saved(run, ("8", f"{by}={file}"))


@test
def open_file_missing(run):
    file, point = saved_with_file(run)
    refused_without(run, point, file, r"the open file .*/data .*No such file")


@test
def open_file_changed(run):
    file, point = saved_with_file(run)
    run.expect_refusal_when(point, file, flip(lambda size: 50), "the open file .*/data .*content differs.*changed=accept")
    run.expect_refusal_when(point, file, lambda p: os.truncate(p, 10), "/data .*has 10 bytes instead of 5000")
    # The same content written again, as when a batch script stages its input once more.
    file.write_bytes(file.read_bytes())
    run.restores(point)


@test
def open_file_changed_and_accepted(run):
    file, point = saved_with_file(run, spec="on,changed=accept")
    flip(lambda size: 50)(file)  # the program reads from byte 100
    run.restores(point)
    check("has been changed since the checkpoint" in run.output(), f"nothing is said: {run.output()[:400]}")


@test
def lock_held_by_another(run):
    file = run.directory / "locked"
    file.write_bytes(bytes(10))
    point = saved(run, ("8", f"lock={file}"))
    with open(file, "r+b") as other:
        fcntl.lockf(other, fcntl.LOCK_EX)
        run.expect_refusal(point, rf"the lock on .*/locked .*held by process {os.getpid()}\b")
    run.restores(point)


def saved_with_mpi_file(run):
    return saved_with_file(run, "shared", "mpi")


@test
def mpi_file_missing(run):
    file, point = saved_with_mpi_file(run)
    refused_without(run, point, file, r"cannot open .*/shared again.*no such file")


@test
def mpi_file_too_short(run):
    file, point = saved_with_mpi_file(run)
    refused_when_changed(run, point, file, lambda p: os.truncate(p, 10), "shared has 10 bytes, .*had 5000")


@test
def working_directory_missing(run):
    """The job's directory is elsewhere when it is restored."""
    inside = run.directory / "inside"
    inside.mkdir()
    file = inside / "data"
    file.write_bytes(filled(FILE_BYTES, 77))
    point = saved(run, ("8", f"file={file}"))
    refused_without(run, point, inside, r"inside/data .*No such file")


@test
def checkpoint_nowhere(run):
    point = saved(run)
    run.expect_refusal(point.parent / "9999", "9999")
    run.expect_refusal(pathlib.Path("/nonexistent/r0/0001"), "/nonexistent/r0/0001")
    run.restores(point)


@test
def checkpoint_is_a_file(run):
    point = saved(run)
    run.expect_refusal(ROOT / "Makefile", "Makefile")
    run.restores(point)


@test
def checkpoint_is_partial(run):
    """A directory that was being written when everything ended is not a generation."""
    point = saved(run)
    partial = point.with_name("0099.partial")
    partial.mkdir()
    shutil.copy2(point / "rank00000.h5", partial)
    run.expect_refusal(partial, "0099.partial")
    shutil.rmtree(partial)
    run.restores(point)


@test
def restorer_missing(run):
    point = saved(run)
    refused_without(run, point, run.library / "sckpt-restore", "cannot start .*/sckpt-restore")


@test
def lower_half_missing_at_restore(run):
    """It is mapped by the checkpointed program and must be there again."""
    real = run.directory / "libsckpt_lower.so"
    link = run.library / "libsckpt_lower.so"
    shutil.copy2(link, real)
    link.unlink()
    link.symlink_to(real)
    point = saved(run)
    refused_without(run, point, real, "libsckpt_lower.so cannot be used here: No such file")


@test
def older_generation_after_damage(run):
    """Of several, the newest that is whole is chosen."""
    run.begin(checkpoints=2)
    run.job.kill()
    older, newest = run.generations()
    os.truncate(newest / "rank00001.h5", 4096)
    run.incarnation += 1
    run.start(run.restart_point_of(older))
    run.finish()


@test
def nothing_usable(run):
    """All are damaged: sckpt restart-point says so and fails, so that nobody starts from the beginning."""
    run.begin(checkpoints=2)
    run.job.kill()
    for generation in run.generations():
        os.truncate(generation / "rank00001.h5", 4096)
    run.incarnation += 1
    try:
        run.restart_point_of(run.step / "none")
    except CaseFailure as failure:
        check("none of the 2 checkpoints" in str(failure), f"another reason: {failure}")
        return
    raise CaseFailure("a damaged checkpoint was chosen")
