// Collective reads and writes (MPI-3.1, 13.4.2 and 13.4.5), blocking and split, all the time, on two files of different
// members whose calls come in different orders.  What is written after the checkpoint is written again.
#include "mpi_file.h"

enum { kInts = 1000 };

static void fill_ints(int *values, int round) {
    for (int i = 0; i < kInts; ++i) values[i] = (int)mix(((uint64_t)round << 32) + rank * 131072 + i);
}

static void expect_ints(const int *values, int round, int of) {
    for (int i = 0; i < kInts; ++i) CHECK_EQUAL(values[i], (int)mix(((uint64_t)round << 32) + of * 131072 + i));
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_collective");
    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &half);
    int mine[kInts], got[kInts], members, place;
    MPI_Comm_size(half, &members);
    MPI_Comm_rank(half, &place);
    MPI_File all = open_shared(MPI_COMM_WORLD, "all", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File part = open_shared(half, rank % 2 ? "odd" : "even", MPI_MODE_CREATE | MPI_MODE_RDWR);
    int round = 0;
    ready();
    do {
        MPI_Status status;
        MPI_Offset base = (MPI_Offset)round * size * sizeof mine;
        MPI_Offset part_base = ((MPI_Offset)round * members + place) * sizeof mine;
        fill_ints(mine, ++round);
        CHECK_EQUAL(MPI_File_write_at_all(all, base + rank * sizeof mine, mine, kInts, MPI_INT, &status), MPI_SUCCESS);
        CHECK_EQUAL(moved(&status, MPI_INT), kInts);
        CHECK_EQUAL(MPI_File_write_at_all_begin(part, part_base, mine, kInts, MPI_INT), MPI_SUCCESS);
        if (rank == size - 1) nap();
        CHECK_EQUAL(MPI_File_write_at_all_end(part, mine, &status), MPI_SUCCESS);
        CHECK_EQUAL(moved(&status, MPI_INT), kInts);
        MPI_Barrier(MPI_COMM_WORLD);
        int other = (rank + 1) % size;
        CHECK_EQUAL(MPI_File_read_at_all_begin(all, base + other * sizeof got, got, kInts, MPI_INT), MPI_SUCCESS);
        nap();
        CHECK_EQUAL(MPI_File_read_at_all_end(all, got, &status), MPI_SUCCESS);
        CHECK_EQUAL(moved(&status, MPI_INT), kInts);
        expect_ints(got, round, other);
        CHECK_EQUAL(MPI_File_seek(part, part_base, MPI_SEEK_SET), MPI_SUCCESS);
        CHECK_EQUAL(MPI_File_read_all(part, got, kInts, MPI_INT, &status), MPI_SUCCESS);
        expect_ints(got, round, rank);
    } while (all_still_waiting(MPI_COMM_WORLD));
    CHECK_EQUAL(file_size(all), (long long)round * size * sizeof mine);
    CHECK_EQUAL(file_size(part), (long long)round * members * sizeof mine);
    MPI_File_close(&all);
    MPI_File_close(&part);
    return finish();
}
