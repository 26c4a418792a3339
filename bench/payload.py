"""The other side of bench/payload.cc and, in part, of bench/barriers.cc: their files, as methods."""

import pathlib
import re

from launch import BenchError


TIMES = re.compile(r"settle ([\d.]+) ms, drain ([\d.]+) ms, stopped ([\d.]+) ms")


class Payload:
    def __init__(self, setup, name, *arguments, ranks=2, program="payload"):
        self.directory = setup.directory / name
        self.directory.mkdir()
        self.output = self.directory / "output"
        self.ranks = ranks
        self.command = [setup.program(program), self.directory, *arguments]

    def all_files(self, name):
        files = [self.directory / f"{name}.{rank}" for rank in range(self.ranks)]
        return files if all(path.exists() for path in files) else None

    def await_ready(self, ranks, timeout=60):
        """The process ids of the ranks, once their memory is filled."""
        files = ranks.await_condition(lambda: self.all_files("ready"), "all ranks are ready", timeout)
        return [int(path.read_text()) for path in files]

    def ask(self):
        """Every rank that runs will answer; earlier answers are forgotten."""
        for path in self.directory.glob("pong.*"):
            path.unlink()
        (self.directory / "ping").touch()

    def await_answers(self, ranks, timeout=60):
        """Milliseconds of the longest gap in the loop of each rank so far."""
        files = ranks.await_condition(lambda: self.all_files("pong"), "all ranks go through their loop", timeout)
        (self.directory / "ping").unlink()
        return [float(path.read_text()) for path in files]

    def await_alive(self, ranks):
        self.ask()
        return self.await_answers(ranks)

    def times_of(self, ranks, number):
        """What each rank has written (SCKPT_LOG=debug) about checkpoint `number`: (settle, drain, stopped) in ms."""
        def written():
            found = TIMES.findall(self.output.read_text(errors="replace"))
            return found[-self.ranks:] if len(found) == self.ranks * number else None
        lines = ranks.await_condition(written, f"all ranks have told their times of checkpoint {number}", 60)
        return [tuple(map(float, line)) for line in lines]

    def end(self, ranks, timeout=120):
        """Ends the job; the ranks check their memory."""
        (self.directory / "go").touch()
        ranks.finish(timeout)
        for rank in range(self.ranks):
            result = pathlib.Path(self.directory / f"result.{rank}").read_text().split()
            if result != ["ok"]:
                raise BenchError(f"rank {rank} found its memory altered: {self.directory}/result.{rank}")
