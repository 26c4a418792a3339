#!/usr/bin/env python3
"""Which case calls which MPI function: writes tests/COVERAGE.md, or with --check says how it differs.

  scripts/coverage.py [--check] [--json]

Every function of mpi_coord/calls.tbl, how it is treated, and the programs under tests/ in whose source it stands.  A
function that no program calls is named with the reason in UNTESTED; without one it is a fault.
"""
import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'mpi_coord'))
import gen_calls  # noqa: E402

REPORT = 'tests/COVERAGE.md'
SOURCES = {'.c', '.cc', '.h', '.f90', '.py'}
MOST_NAMED = 4

# Pattern of names -> why no program calls them.
UNTESTED = {
    r'MPI_(AINT_ADD|AINT_DIFF|WTIME|WTICK)_F90': 'left to libmpi: arithmetic and clocks',
    r'MPI_\w+_FN|MPI_CONVERSION_FN_NULL': 'left to libmpi: addresses that are compared, never state',
}


def with_headers(root, path):
    """The text of a source, and of what it includes of tests/lib."""
    text = path.read_text(errors='replace')
    for header in re.findall(r'#include "(\w+\.h)"', text):
        if (root / 'tests/lib' / header).exists() and path.name != header:
            text += with_headers(root, root / 'tests/lib' / header)
    return text


def words_of(root):
    """Program -> the identifiers in its source, in lower case as Fortran takes them."""
    found = {}
    for directory in ('tests/cases', 'tests/faults', 'tests/slurm'):
        for path in sorted((root / directory).iterdir()):
            if path.suffix in SOURCES:
                found[path.stem] = set(re.findall(r'\w+', with_headers(root, path).lower()))
    return found


def coverage(root):
    """A list of dictionaries: function, policy, programs, reason."""
    words = words_of(root)
    result = []
    for row in gen_calls.parse_table((root / 'mpi_coord/calls.tbl').read_text()).rows.values():
        name = row.name
        programs = [program for program, known in words.items() if name.lower() in known]
        reason = next((why for pattern, why in UNTESTED.items() if re.fullmatch(pattern, name)), None)
        result.append({'function': name, 'policy': row.policy, 'programs': programs, 'reason': None if programs else reason})
    return result


def report(found):
    called = sum(bool(row['programs']) for row in found)
    lines = ['# MPI functions and the tests that call them', '',
             'Written by `scripts/coverage.py`, held against the tests by `make lint`. Policies: `mpi_coord/calls.tbl`.', '',
             f'{called} of {len(found)} functions are called by a program under `tests/`.', '',
             '| function | policy | programs |', '|---|---|---|']
    for row in found:
        programs = row['programs']
        text = ', '.join(programs[:MOST_NAMED]) + (f' and {len(programs) - MOST_NAMED} more' if len(programs) > MOST_NAMED else '')
        lines.append(f"| {row['function']} | {row['policy']} | {text or '(' + (row['reason'] or 'none') + ')'} |")
    return '\n'.join(lines) + '\n'


def faults(root):
    """What is wrong, a line each."""
    try:
        found = coverage(root)
    except gen_calls.TableError as error:
        yield f'mpi_coord/calls.tbl:{error.line}: {error}'
        return
    for row in found:
        if not row['programs'] and not row['reason']:
            yield f"mpi_coord/calls.tbl: {row['function']}: no program under tests/ calls it; write a case, or say why in scripts/coverage.py"
    path = root / REPORT
    if not path.exists() or path.read_text() != report(found):
        yield f'{REPORT}: is not what the tests are; run scripts/coverage.py'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--check', action='store_true', help='change nothing; exit status 1 when something is wrong')
    parser.add_argument('--json', action='store_true', help='print the table as JSON instead')
    options = parser.parse_args()
    if options.json:
        print(json.dumps(coverage(ROOT), indent=1))
        return 0
    if not options.check:
        (ROOT / REPORT).write_text(report(coverage(ROOT)))
    wrong = list(faults(ROOT))
    print('\n'.join(wrong), end='\n' if wrong else '')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
