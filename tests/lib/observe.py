"""What can be seen of a rank from outside, before a checkpoint and after it: a case cannot forget to look.

Compared is what belongs to the application.  Left out, because a restored process may differ there without harm:
 - the lower half: its arena, the components that its MPI loads (also found among the file mappings), its descriptors;
 - anonymous memory that no case has announced by watch(): heaps of ours and stacks of helper threads lie there too;
   the heap and the main stack may have grown;
 - signals that sckpt or the lower MPI use themselves: SIGURG, SIGTERM, SIGCHLD, SIGPIPE and the real-time ones;
 - the vdso and its data, whose address is checked by the restorer.
"""

import functools
import os
import pathlib
import re
import signal

from launch import living_thread

LOWER_ARENA = range(0x600000000000, 0x600000000000 + (1 << 40))
LOWER_FILES = ("/openmpi/lib/openmpi", "/pmix", "/hwloc", "/ucx", "/libfabric", "/dev/shm/")
OWN_SIGNALS = {signal.SIGURG, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, *range(32, 65)}


def _process(pid):
    """Where memory and files of a process are to be seen: a main thread that has ended shows none."""
    thread = living_thread(pid)
    if not thread:
        raise ProcessLookupError(f"process {pid} has ended")
    return thread


def _maps(pid):
    for line in (_process(pid) / "maps").read_text().splitlines():
        fields = line.split(None, 5)
        start, end = (int(x, 16) for x in fields[0].split("-"))
        yield start, end, fields[1], fields[5] if len(fields) == 6 else ""


def _of_application(directory, start, path):
    if start in LOWER_ARENA or any(part in path for part in LOWER_FILES):
        return False
    if path in ("[heap]", "[stack]"):
        return True
    return path.startswith(f"{directory}/") or (path.startswith("/") and (".so" in path or "/cases/" in path))


def regions(pid, directory, rank):
    """{(start, end): (protection, path of a shared file)} of file mappings, heap, main stack and watched regions."""
    found, everything = {}, list(_maps(pid))
    for start, end, protection, path in everything:
        if not _of_application(directory, start, path):
            continue
        # A private mapping may come back as anonymous memory with the same contents; a shared one may not.
        found[(start, end)] = (protection, path if "s" in protection else "")
    watched = directory / f"watched.{rank}"
    if watched.exists():
        for line in watched.read_text().splitlines():
            low, high = (int(x, 16) for x in line.split("-"))
            for start, end, protection, _ in everything:
                if max(start, low) < min(end, high):
                    found[(max(start, low), min(end, high))] = (protection, "")
    return found


def uncovered(pid, before):
    """First of the regions `before` that is not mapped in the same way now, as text, or None."""
    now = list(_maps(pid))
    for (start, end), (protection, path) in sorted(before.items()):
        at = start
        for low, high, mode, name in now:
            if low <= at < high and mode == protection and (not path or name == path):
                at = min(high, end)
            if at == end:
                break
        else:
            there = [f"{mode} {name}" for low, high, mode, name in now if low <= at < high] or ["nothing"]
            return f"memory at {at:#x} was {protection} {path} up to {end:#x} and is now {there[0]}"
    return None


def descriptors(pid, directory):
    """{fd: (path, offset, open flags)} of the files in the case's own directory."""
    found, process = {}, _process(pid)
    for entry in os.listdir(process / "fd"):
        try:
            path = os.readlink(process / "fd" / entry)
            if int(entry) <= 2 or os.path.dirname(path) != str(directory):
                continue
            info = dict(line.split(":", 1) for line in (process / "fdinfo" / entry).read_text()
                        .splitlines() if ":" in line)
        except FileNotFoundError:
            continue
        found[int(entry)] = (path, int(info["pos"]), info["flags"].strip())
    return found


# Lines of fdinfo that say what a descriptor is, and not which number the kernel or a file system has given it; also not
# what time changes.
STATE_LINES = ("flags", "eventfd-count", "eventfd-semaphore", "sigmask", "clockid", "it_interval", "tfd", "inotify wd", "lock")
NUMBERS = [(re.compile(r" pos:\S+ ino:\S+ sdev:\S+"), ""), (re.compile(r" ino:\S+ sdev:\S+"), ""),
           (re.compile(r" fhandle.*"), ""), (re.compile(r"\d+: (\S+ +\S+ +\S+) -?\d+ \S+"), r"\1")]


def watched_descriptors(pid, directory, rank):
    """{fd: (kind, lines)} of the descriptors that a case has announced by watch_descriptor()."""
    path, found, process = directory / f"descriptors.{rank}", {}, _process(pid)
    for entry in path.read_text().split() if path.exists() else []:
        try:
            kind = re.sub(r":\[\d+\]$|\d+$", "", os.readlink(process / "fd" / entry))
            lines = [line for line in (process / "fdinfo" / entry).read_text().splitlines()
                     if line.rpartition(":")[0].startswith(STATE_LINES)]
        except FileNotFoundError:
            kind, lines = "closed", []
        for pattern, instead in NUMBERS:
            lines = [pattern.sub(instead, line) for line in lines]
        found[int(entry)] = (kind if "deleted" not in kind else "without a name", sorted(lines))
    return found


def timers(pid):
    """[(number, signal, kind of notification)] of the POSIX timers of the application."""
    found = []
    for entry in re.split(r"^ID: ", pathlib.Path("/proc", str(pid), "timers").read_text(), flags=re.M)[1:]:
        number, *lines = entry.splitlines()
        facts = dict(line.split(": ", 1) for line in lines if ": " in line)
        which = int(facts["signal"].split("/")[0])
        if which not in OWN_SIGNALS:
            found.append((int(number), which, facts["notify"].split("/")[0], facts["ClockID"]))
    return sorted(found)


def signals(pid):
    """{field: set of signal numbers} blocked, ignored, caught and pending in the main thread, pending in the process."""
    found = {}
    for line in pathlib.Path("/proc", str(pid), "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"):
            bits = int(value, 16)
            found[name] = {n for n in range(1, 65) if bits >> (n - 1) & 1} - OWN_SIGNALS
    return found


def named_threads(pid):
    """Names of the threads that a case has named app-...: those that it answers for."""
    names = []
    for task in pathlib.Path("/proc", str(pid), "task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
        except OSError:
            continue
        if name.startswith("app-"):
            names.append(name)
    return sorted(names)


def _as_long_as_it_lives(look):
    """look() of a process, again where the thread through which it was seen has ended meanwhile."""
    @functools.wraps(look)
    def patiently(self, pid, *arguments):
        while True:
            try:
                return look(self, pid, *arguments)
            except OSError:
                if not living_thread(pid):
                    raise
    return patiently


class Picture:
    """All of that, of one rank at one moment."""

    @_as_long_as_it_lives
    def __init__(self, pid, directory, rank, aspects):
        self.directory, self.rank, self.aspects = directory, rank, aspects
        self.regions = regions(pid, directory, rank)
        self.rest = self._rest(pid)

    def _rest(self, pid):
        return {"files": descriptors(pid, self.directory), "signals": signals(pid), "threads": named_threads(pid),
                "descriptors": watched_descriptors(pid, self.directory, self.rank), "timers": timers(pid)}

    @_as_long_as_it_lives
    def difference(self, pid):
        """What is not as it was, in one sentence, or None."""
        if "maps" in self.aspects:
            lost = uncovered(pid, self.regions)
            if lost:
                return lost
        now = self._rest(pid)
        for aspect, was in self.rest.items():
            if aspect in self.aspects and now[aspect] != was:
                return f"{aspect} were {was} and are now {now[aspect]}"
        return None


class Size:
    """How much of everything a rank has, and how much of it was written to `image`."""

    # A page or two, and their rows in the tables; memory in use depends on who waited for whom.
    TOLERANCE = {"image bytes": 2 * 4096 + 512, "resident kilobytes": 1024, "mappings": 4}

    @_as_long_as_it_lives
    def __init__(self, pid, image):
        process = _process(pid)
        maps = list(_maps(pid))
        self.foreign = [path for *_, path in maps if "sckpt-restore" in path or re.search(r"/rank\d+\.h5", path)]
        self.values = {
            "image bytes": image.stat().st_size,
            "mappings": sum(start not in LOWER_ARENA for start, *_ in maps),
            "threads": len(os.listdir(f"/proc/{pid}/task")),
            "descriptors": len(os.listdir(process / "fd")),
            "resident kilobytes": int(re.search(r"VmRSS:\s+(\d+)", (process / "status").read_text())[1]),
        }

    def growth(self, earlier):
        """What is more than it was, in one sentence, or None."""
        if self.foreign:
            return f"{self.foreign[0]} is still mapped"
        for name, value in self.values.items():
            if value > earlier.values[name] + self.TOLERANCE.get(name, 0):
                return f"{name} grew from {earlier.values[name]} to {value}"
        return None
