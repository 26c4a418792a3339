// Files are opened, written and closed all the time, on communicators that overlap, while the checkpoint comes: a new
// file each round, as a program does that writes one for each of its steps.
#include "mpi_file.h"

enum { kInts = 100 };

static void write_one(MPI_Comm comm, const char *kind, int round) {
    char leaf[64];
    int values[kInts], got[kInts], place, members;
    MPI_Comm_rank(comm, &place);
    MPI_Comm_size(comm, &members);
    snprintf(leaf, sizeof leaf, "%s.%d", kind, round);
    for (int i = 0; i < kInts; ++i) values[i] = round * 1000 + place + i;
    MPI_File file = open_shared(comm, leaf, MPI_MODE_CREATE | MPI_MODE_RDWR);
    CHECK_EQUAL(MPI_File_set_size(file, 0), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_write_at_all(file, place * sizeof values, values, kInts, MPI_INT, MPI_STATUS_IGNORE),
                MPI_SUCCESS);
    MPI_Barrier(comm);
    int other = (place + 1) % members;
    CHECK_EQUAL(MPI_File_read_at(file, other * sizeof got, got, kInts, MPI_INT, MPI_STATUS_IGNORE), MPI_SUCCESS);
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(got[i], round * 1000 + other + i);
    CHECK_EQUAL(MPI_File_close(&file), MPI_SUCCESS);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_open_close");
    MPI_Comm half, all;
    MPI_Comm_split(MPI_COMM_WORLD, rank < (size + 1) / 2, rank, &half);
    MPI_Comm_dup(MPI_COMM_WORLD, &all);
    int round = 0;
    char own[32];
    snprintf(own, sizeof own, "own%d", rank);
    ready();
    do {
        ++round;
        write_one(half, rank < (size + 1) / 2 ? "low" : "high", round);
        write_one(all, "all", round);
        write_one(MPI_COMM_SELF, own, round);
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_Comm_free(&half);
    MPI_Comm_free(&all);
    return finish();
}
