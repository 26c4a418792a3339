#!/usr/bin/python3
"""numpy and mpi4py: arrays, views and generators of random numbers over a restore, arrays as buffers of MPI, and a
matrix that is multiplied before and after."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import numpy  # noqa: E402
from mpi4py import MPI  # noqa: E402
from testcase import begin, check, passed, ready, wait_for_go  # noqa: E402

begin()
world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
following, previous = (rank + 1) % size, (rank - 1) % size

random = numpy.random.default_rng(1000 + rank)
matrix = random.standard_normal((200, 200))
column = matrix[:, 3]
inverse = numpy.linalg.inv(matrix)
product = matrix @ inverse
path = os.path.join(os.environ["SCKPT_CASE_DIR"], f"mapped.{rank}")
mapped = numpy.memmap(path, dtype=numpy.int64, mode="w+", shape=(5000,))
mapped[:] = numpy.arange(5000) * (rank + 1)
received = numpy.full(1000, -1.0)
pending = world.Irecv(received, source=previous, tag=3)
total = numpy.zeros(200)
world.Allreduce(matrix.sum(axis=0), total)
ready()
wait_for_go()

again = numpy.random.default_rng(1000 + rank)
check(numpy.array_equal(matrix, again.standard_normal((200, 200))), "the matrix has other values")
check(numpy.array_equal(random.random(50), again.random(50)), "the random numbers go on differently")
check(column.base is matrix and numpy.array_equal(column, matrix[:, 3]), "a view is one no more")
check(numpy.array_equal(matrix @ inverse, product), "the product is another one")
check(numpy.allclose(numpy.linalg.solve(matrix, matrix @ total), total), "a system of equations has another solution")
check(numpy.array_equal(mapped, numpy.arange(5000) * (rank + 1)), "the mapped array has other values")
mapped[7] = -7
mapped.flush()
check(numpy.fromfile(path, dtype=numpy.int64)[7] == -7, "the mapped array does not reach its file")
world.Send(numpy.arange(1000.0) + rank, dest=following, tag=3)
pending.Wait()
check(numpy.array_equal(received, numpy.arange(1000.0) + previous), "a message has other values")
repeated = numpy.zeros(200)
world.Allreduce(matrix.sum(axis=0), repeated)
check(numpy.array_equal(repeated, total), "the sum over all ranks is another one")
gathered = numpy.empty((size, 3), dtype="i4")
world.Allgather(numpy.full(3, rank, dtype="i4"), gathered)
check(numpy.array_equal(gathered[:, 0], numpy.arange(size)), "gathered something else")
passed()
