// Puts in a hot loop, an epoch of MPI_Win_fence after another, on windows whose members overlap, while the checkpoint
// comes at any moment of it: every byte is verified after every epoch.
#include "testcase_mpi.h"

enum { kBytes = 20000, kParts = 8 };

struct part {
    MPI_Win window;
    MPI_Comm comm;
    unsigned char memory[kBytes], data[kBytes];
    int place, members;
};

static void make(struct part *part, MPI_Comm comm) {
    part->comm = comm;
    MPI_Comm_rank(comm, &part->place);
    MPI_Comm_size(comm, &part->members);
    MPI_Win_create(part->memory, kBytes, 1, MPI_INFO_NULL, comm, &part->window);
    MPI_Win_fence(0, part->window);
}

static void round_of(struct part *part, int round) {
    int to = (part->place + round) % part->members;
    int from = ((part->place - round) % part->members + part->members) % part->members;
    fill(part->data, kBytes, round * 100 + part->place);
    for (int i = 0; i < kParts; ++i) {
        int at = i * (kBytes / kParts);
        MPI_Put(part->data + at, kBytes / kParts, MPI_BYTE, to, at, kBytes / kParts, MPI_BYTE, part->window);
        if (mix(round * 8 + i + rank) % 41 == 0) nap();
    }
    MPI_Win_fence(0, part->window);
    expect(part->memory, kBytes, round * 100 + from, "what was put");
    MPI_Win_fence(0, part->window);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "win_fence_busy");
    static struct part all, half;
    MPI_Comm comm;
    MPI_Comm_split(MPI_COMM_WORLD, rank < (size + 1) / 2, rank, &comm);
    make(&all, MPI_COMM_WORLD);
    make(&half, comm);
    int round = 0;
    ready();
    do {
        ++round;
        round_of(&half, round);
        round_of(&half, round + 1);
        round_of(&all, round);
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Win_free(&half.window);
    MPI_Win_free(&all.window);
    MPI_Comm_free(&comm);
    return finish();
}
