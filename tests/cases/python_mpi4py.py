#!/usr/bin/python3
"""mpi4py, which Python loads with libmpi out of the sight of other libraries (RTLD_LOCAL): objects as messages, buffers,
communicators, topologies, operations and attributes written in Python, requests and files that outlive the checkpoint.
"""
import array
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from mpi4py import MPI  # noqa: E402
from testcase import begin, check, passed, ready, wait_for_go  # noqa: E402

begin()
world = MPI.COMM_WORLD
rank, size = world.Get_rank(), world.Get_size()
following, previous = (rank + 1) % size, (rank - 1) % size

half = world.Split(rank % 2, -rank)
ring = world.Create_cart([size], periods=[True])
twin = world.Dup()
twin.Set_name("a copy of all")
pair = MPI.INT.Create_contiguous(2).Commit()


def add(first, second, datatype):
    left, right = memoryview(first).cast("i"), memoryview(second).cast("i")
    check(datatype == MPI.INT, f"the operation got {datatype.Get_name()}")
    for index, value in enumerate(left):
        right[index] += value


add_op = MPI.Op.Create(add, commute=True)
copied = []
key = MPI.Comm.Create_keyval(copy_fn=lambda comm, number, value: copied.append(value) or value + "'", nopython=False)
twin.Set_attr(key, "attribute")
numbers = array.array("i", [-1, -1])
pending = twin.Irecv([numbers, 1, pair], source=previous, tag=3)
persistent = world.Send_init([array.array("i", [rank]), 1, MPI.INT], dest=following, tag=4)
file = MPI.File.Open(world, os.path.join(os.environ["SCKPT_CASE_DIR"], "file"), MPI.MODE_CREATE | MPI.MODE_RDWR)
file.Write_at_all(4 * rank, array.array("i", [rank * 11]))
twin.send({"from": rank, "text": "x" * 100}, dest=rank, tag=9) if size == 1 else None
ready()
wait_for_go()

check(twin.Get_name() == "a copy of all", "a name is wrong")
twin.Send([array.array("i", [rank, 7]), 1, pair], dest=following, tag=3)
status = MPI.Status()
pending.Wait(status)
check(list(numbers) == [previous, 7] and status.Get_count(pair) == 1, f"received {list(numbers)}")
if size == 1:
    check(twin.recv(source=rank, tag=9)["text"] == "x" * 100, "an object that was in flight is wrong")
got = world.sendrecv({"rank": rank, "list": list(range(rank))}, dest=following, source=previous)
check(got == {"rank": previous, "list": list(range(previous))}, f"an object is {got}")
total = array.array("i", [0, 0])
world.Allreduce(array.array("i", [rank, 1]), total, op=add_op)
check(list(total) == [size * (size - 1) // 2, size], f"the sum is {list(total)}")
check(world.allgather(rank * 2) == [2 * other for other in range(size)], "allgather is wrong")
check(half.allreduce(1) == (size + 1 - rank % 2) // 2, "the size of a half is wrong")
check(ring.Shift(0, 1) == (previous, following), "the ring has other neighbours")
check(twin.Get_attr(key) == "attribute", "an attribute is wrong")
again = twin.Dup()
check(copied == ["attribute"] and again.Get_attr(key) == "attribute'", "a copied attribute is wrong")
again.Free()
persistent.Start()
one = array.array("i", [-1])
world.Recv(one, source=previous, tag=4)
persistent.Wait()
check(one[0] == previous, "the persistent request sent something else")
read = array.array("i", [0] * size)
file.Read_at_all(0, read)
check(list(read) == [11 * other for other in range(size)], f"the file holds {list(read)}")
file.Close()
try:
    world.Send([one, 1, MPI.INT], dest=size + 2)
    check(False, "an error raised no exception")
except MPI.Exception as error:
    check(error.Get_error_class() == MPI.ERR_RANK, f"the exception is {error}")
persistent.Free()
add_op.Free()
for comm in (twin, half, ring):
    comm.Free()
passed()
