"""Restores on a machine that is not quite the one of the checkpoint: other libraries, another processor."""

import os
import pathlib
import re
import shutil

from frame import Skip, check, test
from refusals import replace_file, saved


def private_library(run):
    library = run.directory / "libprivate.so"
    shutil.copy2(run.options.build / "cases/lib/libcase_plugin.so", library)
    return library


@test
def library_kept_in_the_checkpoint(run):
    """With libraries=copy neither another version nor a missing file matters."""
    library = private_library(run)
    run.case.spec = "on,libraries=copy"
    generation = run.begin(("8", f"plugin={library}"))[-1]
    replace_file(run.options.build / "lib/libsckpt_lower.so", library)
    run.restart(generation)
    library.unlink()
    run.prove()


@test
def library_deleted_while_it_is_used(run):
    """As by an upgrade of the system: what is mapped goes into the checkpoint."""
    library = private_library(run)
    run.begin(("8", f"plugin={library}"), checkpoints=0)
    library.unlink()
    run.prove()


@test
def program_deleted_while_it_runs(run):
    program = run.directory / "steady"
    shutil.copy2(run.case.program, program)
    run.case.program = program
    run.begin(checkpoints=0)
    aside = run.directory / "aside"
    shutil.copy2(program, aside)
    program.unlink()
    generation = run.checkpoint()
    shutil.copy2(aside, program)
    run.restart(generation)
    run.finish()


@test
def processor_without_a_feature(run):
    """Which the program may have chosen its code by: refused, with the feature's name."""
    if os.geteuid() != 0:
        raise Skip("only root may put another file over /proc/cpuinfo")
    point = saved(run)
    known = pathlib.Path("/proc/cpuinfo").read_text()
    check(re.search(r"^flags.* sse4_2\b", known, re.M), "this processor has no sse4_2: choose another feature")
    other = run.directory / "cpuinfo"
    other.write_text(known.replace(" sse4_2", "").replace(" popcnt", ""))
    run.case.launcher = ["unshare", "--mount", "sh", "-c", f'mount --bind {other} /proc/cpuinfo && exec "$@"', "sh"]
    run.expect_refusal(point, r"this processor lacks what the checkpoint's had \(.*sse4_2.*\)")
    run.case.launcher = []
    run.restores(point)
