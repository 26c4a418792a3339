#!/usr/bin/env python3
"""Checks that no compiler makes; one line per fault, `file:line: message`, and exit status 1 when there is one.

  calls     the table of MPI functions, mpi.h and what libmpi exports name the same functions
  exports   libsckpt.so, when it has been built, exports every one of them
  by hand   functions that the table leaves to hand-written code are defined in mpi_coord/
  includes  who may include whom
  glibc     functions that make a resource are in preload/interceptions.tbl, and wrapped ones are called by a test
  pitfalls  the tests that tests/PITFALLS.md names exist
  coverage  every MPI function is called by a test or has a reason, and tests/COVERAGE.md says so
  length    no source file is longer than LONGEST lines
"""
import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'mpi_coord'))
import coverage  # noqa: E402
import gen_calls  # noqa: E402
import interceptions  # noqa: E402

TABLE = 'mpi_coord/calls.tbl'
LONGEST = 500
SOURCES = {'.cc', '.h', '.c', '.S', '.py', '.sh', '.mk', '.f90', '.ld'}

# Part of the tree (the longest prefix of a path decides) -> what it may include besides itself: headers, and parts as a
# whole (not the parts within them).  Parts that are not named (tests, bench) may include anything, and nothing them.
MAY_INCLUDE = {
    'preload/base/': (),
    'preload/restore/': ('preload/base/', 'preload/env.h', 'storage_hdf5/image.h', 'storage_hdf5/reader.h'),
    'preload/': ('preload/base/', 'preload/restore/handover.h', 'mpi_coord/', 'mpi_coord/lower/abi.h', 'storage_hdf5/image.h'),
    # System calls only: the header is code of neither half's libc.
    'mpi_coord/lower/': ('preload/base/system.h',),
    'mpi_coord/': ('preload/base/', 'mpi_coord/lower/abi.h'),
    'storage_hdf5/': ('preload/base/',),
    'spank_plugin/': ('preload/base/', 'preload/env.h'),
}
# Headers of other projects that only one part may include.
ONLY_IN = {'hdf5.h': 'storage_hdf5/', 'hdf5_hl.h': 'storage_hdf5/'}


def part_of(path):
    """The key of MAY_INCLUDE that a path belongs to, or None."""
    return max((p for p in MAY_INCLUDE if path.startswith(p)), key=len, default=None)


def include_fault(path, target):
    """Why the file `path` may not include `target` (both relative to the root), or None."""
    part = part_of(path)
    if part is None or part_of(target) == part:
        return None
    allowed = MAY_INCLUDE[part]
    if target in allowed or (part_of(target) or target) in allowed:
        return None
    may = ', '.join(allowed) if allowed else 'nothing of the project'
    return f'{part} may not include {target}; besides its own it may include {may}'


def library_fault(path, target):
    """Why `path` may not include the header `target` of another project, or None."""
    owner = ONLY_IN.get(target)
    if owner is None or path.startswith(owner) or part_of(path) is None:
        return None
    return f'only {owner} may include {target}'


def check_includes(root, build, paths):
    for path in paths:
        if not path.endswith(('.cc', '.h', '.c')):
            continue
        for number, line in enumerate((root / path).read_text(errors='replace').splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            target = match[2]
            beside = str(pathlib.PurePosixPath(path).parent / target)
            if match[1] == '"' and not (root / target).exists() and (root / beside).exists():
                target = beside
            ours = (root / target).exists() or (build / target).exists()
            fault = include_fault(path, target) if ours else library_fault(path, target)
            if fault:
                yield f'{path}:{number}: {fault}'


def check_length(root, paths):
    for path in paths:
        lines = (root / path).read_text(errors='replace').count('\n')
        if lines > LONGEST:
            yield f'{path}:{LONGEST}: has {lines} lines, more than {LONGEST}: give each purpose a file of its own'


PITFALLS = 'tests/PITFALLS.md'


def names_of_tests(root):
    """What can follow each kind of command that PITFALLS names: command -> set of names."""
    def listed(script):
        done = subprocess.run([sys.executable, root / script, '--list'], capture_output=True, text=True, check=True)
        return set(done.stdout.split())
    lists = {script: listed(script) for script in ('tests/faults.py', 'tests/slurm/e2e.py')}
    cases = {p.stem for p in (root / 'tests/cases').iterdir() if p.suffix in ('.c', '.cc', '.f90', '.py', '.desc')}
    return lists | {'tests/run.py': cases}


def command_fault(root, known, command):
    """Why a command of PITFALLS runs no test, or None."""
    program, *arguments = command.split()
    if program in known:
        if len(arguments) != 2 or arguments[0] not in ('--case', '--test'):
            return f'`{command}`: should be {program} and one option'
        wrong = [name for name in arguments[1].split(',') if not fnmatch.filter(known[program], name)]
        return f'`{command}`: there is no test {wrong[0]}' if wrong else None
    if program.startswith('build/unit/'):
        source = root / 'tests/unit' / f'{pathlib.PurePath(program).name}.cc'
        if not source.exists():
            return f'`{command}`: there is no {source.relative_to(root)}'
        there = ['.'.join(match) for match in re.findall(r'^TEST\w*\((\w+), (\w+)\)', source.read_text(), re.M)]
        wanted = arguments[0].removeprefix('--gtest_filter=').split(':') if arguments else []
        wrong = [name for name in wanted if not fnmatch.filter(there, name)]
        return f'`{command}`: {source.name} has no test {wrong[0]}' if wrong else None
    return None if (root / program).exists() else f'`{command}`: there is no {program}'


def check_pitfalls(root):
    known = names_of_tests(root)
    for number, line in enumerate((root / PITFALLS).read_text().splitlines(), 1):
        if not re.match(r'\| \w', line) or line.startswith('| pitfall'):
            continue
        commands = re.findall(r'`([^`]+)`', line.rstrip('| ').rpartition('|')[2])
        if not commands:
            yield f'{PITFALLS}:{number}: names no test'
        for fault in filter(None, (command_fault(root, known, command) for command in commands)):
            yield f'{PITFALLS}:{number}: {fault}'


def table_faults(table, prototypes, exported):
    """Differences between the table, the header and the functions that libmpi exports."""
    for name in sorted(prototypes.keys() - table.rows.keys()):
        yield f'{TABLE}:1: {name}: declared by mpi.h, no line in the table'
    for row in table.rows.values():
        if row.name not in exported:
            yield f'{TABLE}:{row.line}: {row.name}: libmpi does not export it'
        if (row.name in prototypes) == (row.policy == 'leave'):
            state = 'declares' if row.policy == 'leave' else 'does not declare'
            yield f'{TABLE}:{row.line}: {row.name}: is {row.policy}, but mpi_all.h {state} it'
    for name in sorted(exported):
        plain = name[1:] if name.startswith('PMPI') else name
        if plain not in table.rows:
            yield f'{TABLE}:1: {name}: exported by libmpi, no line in the table'
        elif name != plain and plain in prototypes and not prototypes[plain].profiled:
            yield f'{TABLE}:{table.rows[plain].line}: {name}: exported by libmpi, but mpi_all.h does not declare it'


def export_faults(table, exported, interceptor, ours):
    """Functions of libmpi that the interceptor would let pass by."""
    for name in sorted(exported - ours):
        row = table.rows.get(name[1:] if name.startswith('PMPI') else name)
        if row and row.policy != 'leave':
            yield f'{TABLE}:{row.line}: {name}: {interceptor} does not export it'


def without_comments(text):
    """C++ text with comments and the contents of strings blanked."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', ' ', text, flags=re.S)


def defined_functions(text):
    """Names X of MPI functions that C++ text defines, as MPI_X or PMPI_X: a parameter list with a body behind it."""
    text = without_comments(text)
    found = set()
    for match in re.finditer(r'\bP?(MPIX?_\w+)\s*\(', text):
        depth, place = 1, match.end()
        while depth and place < len(text):
            depth += {'(': 1, ')': -1}.get(text[place], 0)
            place += 1
        before = text[:match.start()].rstrip()[-1:]
        if re.match(r'\s*(?:noexcept\s*)?\{', text[place:]) and (before.isalnum() or before in '*_&'):
            found.add(match[1])
    return found


def hand_faults(table, defined):
    for row in table.rows.values():
        if row.policy == 'hand' and row.name not in defined:
            yield f'{TABLE}:{row.line}: {row.name}: is to be written by hand, and no source of mpi_coord/ defines it'


def source_files(root, build):
    """Paths, relative to the root, of what people write."""
    for path in sorted(root.rglob('*')):
        relative = path.relative_to(root)
        if relative.parts[0].startswith('.') or build in path.parents or not path.is_file():
            continue
        if path.suffix in SOURCES or (not path.suffix and path.open('rb').read(2) == b'#!'):
            yield relative.as_posix()


def check_calls(root, build, options):
    try:
        table = gen_calls.parse_table((root / TABLE).read_text())
    except gen_calls.TableError as error:
        yield f'{TABLE}:{error.line}: {error}'
        return
    header = root / 'mpi_coord/mpi_all.h'
    prototypes = gen_calls.header_prototypes('gcc', options.flags.split(), header, build / 'mpi_coord')
    exported = gen_calls.exported_functions(options.library)
    yield from table_faults(table, prototypes, exported)
    interceptor = build / 'lib/libsckpt.so'
    if interceptor.exists():
        yield from export_faults(table, exported, 'libsckpt.so', gen_calls.exported_functions(str(interceptor)))
    sources = sorted((root / 'mpi_coord').glob('*.cc'))
    yield from hand_faults(table, set().union(*(defined_functions(s.read_text()) for s in sources)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--library', default='/usr/lib/x86_64-linux-gnu/libmpi.so.40', help='the installed libmpi')
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build')
    parser.add_argument('--flags', default='', help='flags with which the compiler finds mpi.h')
    options = parser.parse_args()
    build = options.build.resolve()
    paths = list(source_files(ROOT, build))
    faults = [*check_calls(ROOT, build, options), *check_includes(ROOT, build, paths), *check_length(ROOT, paths),
              *interceptions.faults(ROOT, build), *check_pitfalls(ROOT), *coverage.faults(ROOT)]
    print(*faults, sep='\n', end='\n' if faults else '')
    sys.exit(1 if faults else 0)


if __name__ == '__main__':
    main()
