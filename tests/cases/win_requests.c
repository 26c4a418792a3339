// Operations with requests (MPI-3.1, 11.3.5) that nobody has waited for at the checkpoint: they are complete after it,
// and so is what they did.
#include "testcase_mpi.h"

enum { kLongs = 400 };

int main(int argc, char **argv) {
    start(&argc, &argv, "win_requests");
    static long memory[3 * kLongs], given[kLongs], got[kLongs], before[kLongs];
    int right = (rank + 1) % size, left = (rank + size - 1) % size, flag;
    MPI_Request requests[4];
    MPI_Win window;
    for (int i = 0; i < kLongs; ++i) given[i] = rank * 100000 + i, memory[kLongs + i] = 7 * i + rank;
    MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock_all(0, window);
    MPI_Rput(given, kLongs, MPI_LONG, right, 0, kLongs, MPI_LONG, window, &requests[0]);
    MPI_Rget(got, kLongs, MPI_LONG, right, kLongs, kLongs, MPI_LONG, window, &requests[1]);
    MPI_Raccumulate(given, kLongs, MPI_LONG, right, 2 * kLongs, kLongs, MPI_LONG, MPI_SUM, window, &requests[2]);
    MPI_Rget_accumulate(given, kLongs, MPI_LONG, before, kLongs, MPI_LONG, right, 2 * kLongs, kLongs, MPI_LONG, MPI_SUM,
                        window, &requests[3]);
    MPI_Barrier(MPI_COMM_WORLD);  // some transports need the target's help to issue an operation at all
    ready();
    wait_for_go();

    MPI_Wait(&requests[1], MPI_STATUS_IGNORE);
    for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(got[i], 7 * i + right);
    do
        MPI_Test(&requests[0], &flag, MPI_STATUS_IGNORE);
    while (!flag);
    MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < 4; ++i) CHECK(requests[i] == MPI_REQUEST_NULL);
    // Operations on the same place may be done in either order, element by element.
    for (int i = 0; i < kLongs; ++i) CHECK(before[i] == 0 || before[i] == given[i]);
    MPI_Win_unlock_all(window);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(memory[i], left * 100000 + i);
    for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(memory[2 * kLongs + i], 2 * (left * 100000 + i));
    MPI_Win_lock(MPI_LOCK_SHARED, right, 0, window);
    MPI_Rget(got, kLongs, MPI_LONG, right, 0, kLongs, MPI_LONG, window, &requests[0]);
    MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
    MPI_Win_unlock(right, window);
    for (int i = 0; i < kLongs; ++i) CHECK_EQUAL(got[i], given[i]);
    MPI_Win_free(&window);
    return finish();
}
