// Windows of all constructors are made, used and freed all the time, on communicators that overlap, while the checkpoint
// comes.
#include "testcase_mpi.h"

enum { kInts = 50 };

static void use(MPI_Win window, int *memory, MPI_Aint at, MPI_Comm comm, int round) {
    int place, members, value[kInts];
    MPI_Comm_rank(comm, &place);
    MPI_Comm_size(comm, &members);
    for (int i = 0; i < kInts; ++i) value[i] = round * 1000 + place + i;
    MPI_Win_fence(0, window);
    MPI_Put(value, kInts, MPI_INT, (place + 1) % members, at, kInts, MPI_INT, window);
    MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(memory[i], round * 1000 + (place + members - 1) % members + i);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_create_free_busy");
    int memory[kInts], *base, round = 0;
    MPI_Comm half;
    MPI_Win window;
    MPI_Comm_split(MPI_COMM_WORLD, rank < (size + 1) / 2, rank, &half);
    ready();
    do {
        ++round;
        MPI_Win_create(memory, sizeof memory, sizeof *memory, MPI_INFO_NULL, half, &window);
        use(window, memory, 0, half, round);
        MPI_Win_free(&window);
        MPI_Win_allocate(sizeof memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &base, &window);
        use(window, base, 0, MPI_COMM_WORLD, round);
        MPI_Win_free(&window);
        MPI_Win_allocate_shared(sizeof memory, sizeof *memory, MPI_INFO_NULL, half, &base, &window);
        use(window, base, 0, half, round);
        MPI_Win_free(&window);
        MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_SELF, &window);
        MPI_Aint place;
        MPI_Get_address(memory, &place);
        MPI_Win_attach(window, memory, sizeof memory);
        use(window, memory, place, MPI_COMM_SELF, round);
        MPI_Win_detach(window, memory);
        MPI_Win_free(&window);
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Comm_free(&half);
    return finish();
}
