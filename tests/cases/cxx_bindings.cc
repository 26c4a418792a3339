// The C++ bindings, which MPI-3.0 removed and Open MPI 4.1 still has: messages, collectives, topologies, user operations,
// attributes with copy and delete functions, error handlers, all made before the checkpoint and used after it.
#pragma GCC diagnostic ignored "-Wcast-function-type"
#include <mpi.h>

#include "testcase.h"

namespace {

int copies, deletions, errors, last_error;

void add_twice(const void *in, void *inout, int length, const MPI::Datatype &type) {
    CHECK(type == MPI::INT);
    for (int i = 0; i < length; ++i)
        static_cast<int *>(inout)[i] += static_cast<const int *>(in)[i];
}

int copy(const MPI::Comm &, int, void *extra, void *value, void *out, bool &flag) {
    CHECK(extra == &copies);
    ++copies;
    *static_cast<void **>(out) = static_cast<char *>(value) + 1;
    flag = true;
    return MPI::SUCCESS;
}

int forget(MPI::Comm &, int, void *, void *extra) {
    CHECK(extra == &copies);
    ++deletions;
    return MPI::SUCCESS;
}

void note(MPI::Comm &, int *code, ...) {
    ++errors;
    last_error = *code;
}

}  // namespace

int main(int argc, char **argv) {
    MPI::Init(argc, argv);
    begin("cxx_bindings");
    const int rank = MPI::COMM_WORLD.Get_rank(), size = MPI::COMM_WORLD.Get_size();
    static char place[8];
    MPI::Intracomm work = MPI::COMM_WORLD.Dup();
    const int dims[] = {size};
    const bool periods[] = {true};
    MPI::Cartcomm ring = MPI::COMM_WORLD.Create_cart(1, dims, periods, false);
    MPI::Op op;
    op.Init(add_twice, true);
    int key = MPI::Comm::Create_keyval(copy, forget, &copies);
    work.Set_attr(key, place);
    MPI::Errhandler handler = MPI::Comm::Create_errhandler(note);
    work.Set_errhandler(handler);
    MPI::Datatype pair = MPI::INT.Create_contiguous(2);
    pair.Commit();
    int got[2] = {-1, -1}, sent[2] = {rank, rank + 1};
    MPI::Request pending = work.Irecv(got, 1, pair, (rank + size - 1) % size, 5);
    ready();
    wait_for_go();

    MPI::Status status;
    work.Send(sent, 1, pair, (rank + 1) % size, 5);
    pending.Wait(status);
    CHECK_EQUAL(got[0], (rank + size - 1) % size);
    CHECK_EQUAL(status.Get_count(pair), 1);
    CHECK_EQUAL(status.Get_tag(), 5);
    int from, to, total = -1;
    ring.Shift(0, 1, from, to);
    CHECK_EQUAL(to, (rank + 1) % size);
    work.Allreduce(&rank, &total, 1, MPI::INT, op);
    CHECK_EQUAL(total, size * (size - 1) / 2);
    void *value = nullptr;
    CHECK(work.Get_attr(key, &value) && value == place);
    MPI::Intracomm again = work.Dup();
    CHECK_EQUAL(copies, 1);
    CHECK(again.Get_attr(key, &value) && value == place + 1);
    again.Free();
    CHECK_EQUAL(deletions, 1);
    work.Send(sent, 1, MPI::INT, size + 3, 0);
    CHECK_EQUAL(errors, 1);
    CHECK_EQUAL(MPI::Get_error_class(last_error), MPI::ERR_RANK);
    work.Set_errhandler(MPI::ERRORS_RETURN);
    work.Send(sent, 1, MPI::INT, size + 3, 0);
    CHECK_EQUAL(errors, 1);
    pair.Free();
    op.Free();
    handler.Free();
    work.Free();
    CHECK_EQUAL(deletions, 2);
    ring.Free();
    MPI::Comm::Free_keyval(key);
    MPI::Finalize();
    return pass();
}
