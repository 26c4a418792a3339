#!/usr/bin/python3
"""Python without MPI at first: extension modules that were imported before the checkpoint work after it, and others,
numpy and MPI among them, are imported then."""
import ctypes
import decimal
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from testcase import RANK, begin, check, passed, ready, wait_for_go  # noqa: E402

begin()
plugin = ctypes.CDLL(sys.argv[1])
plugin.plugin_step.restype = plugin.plugin_sum.restype = ctypes.c_long
for number in range(100):
    plugin.plugin_step(ctypes.c_long(number))
called = []
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(
    lambda left, right: called.append(left[0]) or left[0] - right[0])
third = decimal.Decimal(1) / 3
late = ("numpy", "mpi4py.MPI", "sqlite3", "lzma")
check(not any(name in sys.modules for name in late), "a module that is to come later is there already")
ready()
wait_for_go()

plugin.plugin_step(ctypes.c_long(50))
check(plugin.plugin_sum(ctypes.c_long(0)) == 5000, "the library has another state")
values = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
ctypes.CDLL(None).qsort(values, ctypes.c_size_t(5), ctypes.c_size_t(4), callback)
check(list(values) == [1, 2, 3, 4, 5] and called, f"sorted by a function in Python: {list(values)}")
check(third * 3 == decimal.Decimal("0." + "9" * 28), f"a decimal number is {third}")

import lzma  # noqa: E402
import sqlite3  # noqa: E402

import numpy  # noqa: E402
from mpi4py import MPI  # noqa: E402

check(lzma.decompress(lzma.compress(b"x" * 1000)) == b"x" * 1000, "lzma, imported late, is wrong")
check(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone() == (42,), "sqlite3, imported late, is wrong")
check(numpy.isclose(numpy.linalg.det(numpy.eye(3) * 2), 8), "numpy, imported late, is wrong")
total = numpy.zeros(3)
MPI.COMM_WORLD.Allreduce(numpy.ones(3) * int(RANK), total)
size = MPI.COMM_WORLD.Get_size()
check(numpy.array_equal(total, numpy.ones(3) * (size * (size - 1) // 2)), f"MPI, imported late, says {total}")
passed()
