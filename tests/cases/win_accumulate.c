// Atomic operations in a hot loop while the checkpoint comes (MPI-3.1, 11.3.4): no increment is lost and none is made
// twice, each value of a counter is given out once, and what was swapped in is there.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "win_accumulate");
    long memory[4] = {0, 0, 0, 0}, rounds = 0, one = 1, sum = 0, all = 0;
    MPI_Win window;
    MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
    MPI_Win_lock_all(0, window);
    ready();
    do
        for (int i = 0; i < 20; ++i) {
            int target = mix(rounds) % size;
            long ticket = -1, before = -1, seen = rounds, next = rounds + 1;
            ++rounds;
            MPI_Fetch_and_op(&one, &ticket, MPI_LONG, 0, 0, MPI_SUM, window);
            MPI_Accumulate(&one, 1, MPI_LONG, target, 1, 1, MPI_LONG, MPI_SUM, window);
            MPI_Get_accumulate(&one, 1, MPI_LONG, &before, 1, MPI_LONG, target, 2, 1, MPI_LONG, MPI_SUM, window);
            MPI_Win_flush_all(window);
            CHECK(ticket >= 0 && before >= 0);
            sum += ticket;
            long old = -1;
            MPI_Compare_and_swap(&next, &seen, &old, MPI_LONG, rank, 3, window);
            MPI_Win_flush(rank, window);
            CHECK_EQUAL(old, seen);
        }
    while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_sync(window);
    MPI_Win_unlock_all(window);
    CHECK_EQUAL(memory[3], rounds);
    long got[3] = {0, 0, 0}, tickets = 0;
    MPI_Allreduce(memory, got, 3, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&rounds, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    MPI_Allreduce(&sum, &tickets, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < 3; ++i) CHECK_EQUAL(got[i], all);
    CHECK_EQUAL(tickets, all * (all - 1) / 2);
    MPI_Win_free(&window);
    return finish();
}
