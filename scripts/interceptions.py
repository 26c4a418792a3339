#!/usr/bin/env python3
"""Is every function of glibc that makes a resource accounted for?  Reads preload/interceptions.tbl.

Without an option prints tests/INTERCEPTIONS.md, which `--write` writes and `make lint` compares; `--tests` prints which
tests call each function that libsckpt.so defines.
"""
import argparse
import collections
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = 'preload/interceptions.tbl'
GENERATED = 'tests/INTERCEPTIONS.md'
LIBC = '/lib/x86_64-linux-gnu/libc.so.6'
FATES = ('wrapped', 'seen', 'inside', 'declined', 'none')

# Words in the names of functions that make, change or wait for a resource of each kind.
KINDS = {
    'descriptor': r'open|socket|pipe|accept|creat|^_*dup|stemp|tmpfile|fcntl|getpt|fd_|fd$|^fd|'
                  r'(epoll|inotify|fanotify|timerfd|signalfd|eventfd|mq|shm)_',
    'thread': r'pthread_create|thrd_create|^_*clone',
    'timer': r'timer|alarm',
    'mapping': r'mmap|mremap|munmap|^_*s?brk|^shm|mlock|mprotect|madvise|msync|remap_file|pkey|mseal|map_shadow',
    'child': r'fork|spawn|exec|^_*clone|^system$|popen|pclose|daemon|^_*wait(pid|id|3|4)?$',
    'signal': r'sig|raise|kill|pause',
}
# What libsckpt.so exports besides functions of glibc that make a resource (dlsym: mpi_coord/by_name.cc).
OTHERS = re.compile(r'^(P?MPIX?_|OMPI_|ompi|p?mpix?_|sckpt_|dlsym$)')
# Functions with a word of a kind in their name that make a resource of another one.
ELSEWHERE = {'descriptor': ('pthread_create', 'thrd_create', 'timer_create', 'popen', '_IO_popen', 'posix_spawn*')}

Row = collections.namedtuple('Row', 'kind pattern fate why line')


def parse(text):
    """Rows of the table; ValueError with a line number where it is none."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        words = line.split(None, 3)
        if len(words) != 4 or words[0] not in KINDS or words[2] not in FATES:
            raise ValueError(f'{TABLE}:{number}: should be KIND PATTERN FATE WHY')
        rows.append(Row(*words, number))
    return rows


def exported(library):
    """Functions that programs can be linked with: old and private versions excepted."""
    lines = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True, check=True).stdout
    found = set()
    for line in lines.splitlines():
        _, kind, name = line.split()
        base, _, version = name.partition('@')
        if kind in 'TWi' and (not version or version.startswith('@')) and 'PRIVATE' not in version:
            found.add(base)
    return found


def row_for(rows, kind, name):
    return next((r for r in rows if r.kind == kind and fnmatch.fnmatchcase(name, r.pattern)), None)


def belongs(kind, name):
    return re.search(KINDS[kind], name) and not any(fnmatch.fnmatchcase(name, p) for p in ELSEWHERE.get(kind, ()))


def callers(root, names):
    """{function: tests that call it}"""
    found = {name: [] for name in names}
    for part in ('tests/cases', 'tests/lib', 'tests/faults', 'tests/unit'):
        for path in sorted((root / part).iterdir()):
            if path.suffix not in ('.c', '.cc', '.h'):
                continue
            words = set(re.findall(r'\b(\w+)(?=\s*\(|")', path.read_text()))
            for name in found:
                if name in words:
                    found[name].append(path.name)
    return found


def faults(root, build):
    try:
        rows = parse((root / TABLE).read_text())
    except ValueError as error:
        yield str(error)
        return
    libc = exported(LIBC)
    used = set()
    for kind in KINDS:
        for name in sorted(n for n in libc if belongs(kind, n)):
            row = row_for(rows, kind, name)
            if row is None:
                yield f'{TABLE}:1: {name}: glibc exports it, by its name it makes a {kind}, and no line says what becomes of it'
            used.add(row)
    wrapped = {}
    for row in rows:
        if row.fate == 'wrapped':
            wrapped.setdefault(row.pattern, row)
            if row.pattern not in libc:
                yield f'{TABLE}:{row.line}: {row.pattern}: glibc does not export it'
        elif row not in used:
            yield f'{TABLE}:{row.line}: {row.pattern}: fits no function of glibc that another line does not take'
    library = build / 'lib/libsckpt.so'
    if library.exists():
        ours = {name for name in exported(library) if not OTHERS.match(name)}
        for name in sorted(ours - wrapped.keys()):
            yield f'{TABLE}:1: {name}: libsckpt.so defines it, and no line says so'
        for name in sorted(wrapped.keys() - ours):
            yield f'{TABLE}:{wrapped[name].line}: {name}: libsckpt.so does not export it'
    for name, tests in callers(root, wrapped).items():
        if not tests:
            yield f'{TABLE}:{wrapped[name].line}: {name}: no test calls it'
    if (root / GENERATED).read_text() != document(rows):
        yield f'{GENERATED}:1: is not what scripts/interceptions.py --write makes of {TABLE}'


def document(rows):
    lines = ['# Functions of glibc that make a resource', '',
             f'Made from `{TABLE}` by `scripts/interceptions.py --write`; `make lint` holds it against what glibc and',
             'libsckpt.so export, and against the tests: each function that libsckpt.so defines is called by one',
             '(`scripts/interceptions.py --tests` says by which).', '']
    titles = {'wrapped': 'defined by libsckpt.so, for', 'seen': 'asked for at the cut, in', 'inside': 'made of another,',
              'declined': 'declined while alive, by', 'none': 'nothing to know:'}
    for kind in KINDS:
        lines += [f'## {kind}', '', '| functions | what becomes of them |', '| --- | --- |']
        groups = {}
        for row in rows:
            if row.kind == kind:
                groups.setdefault((row.fate, row.why), []).append(f'`{row.pattern}`')
        lines += [f'| {", ".join(names)} | {titles[fate]} {why} |' for (fate, why), names in groups.items()] + ['']
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--write', action='store_true', help=f'write {GENERATED}')
    parser.add_argument('--tests', action='store_true', help='print the tests that call each function')
    options = parser.parse_args()
    rows = parse((ROOT / TABLE).read_text())
    if options.write:
        (ROOT / GENERATED).write_text(document(rows))
    elif options.tests:
        names = sorted({row.pattern for row in rows if row.fate == 'wrapped'})
        for name, tests in callers(ROOT, names).items():
            print(f'{name}: {", ".join(tests)}')
    else:
        print(document(rows), end='')


if __name__ == '__main__':
    sys.exit(main())
