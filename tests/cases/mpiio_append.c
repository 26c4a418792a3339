// A file opened with MPI_MODE_APPEND grows all the time, round by round: in the end it has every round once, and what
// was written after the checkpoint and lost with the job is not in it twice.
#include "mpi_file.h"

enum { kInts = 256 };

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_append");
    int values[kInts];
    MPI_File file = open_shared(MPI_COMM_WORLD, "log", MPI_MODE_CREATE | MPI_MODE_RDWR);
    for (int i = 0; i < kInts; ++i) values[i] = -rank;
    MPI_File_write_ordered(file, values, kInts, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    file = open_shared(MPI_COMM_WORLD, "log", MPI_MODE_WRONLY | MPI_MODE_APPEND);
    CHECK_EQUAL(position(file), size * sizeof values);
    int round = 0, amode = 0;
    ready();
    do {
        ++round;
        for (int i = 0; i < kInts; ++i) values[i] = round * 1000 + rank;
        MPI_File_seek(file, rank * (MPI_Offset)sizeof values, MPI_SEEK_CUR);
        MPI_File_write(file, values, kInts, MPI_INT, MPI_STATUS_IGNORE);
        MPI_File_seek(file, (size - 1 - rank) * (MPI_Offset)sizeof values, MPI_SEEK_CUR);
        if (round % 10 == 0) nap();
    } while (all_still_waiting(MPI_COMM_WORLD));
    MPI_File_get_amode(file, &amode);
    CHECK_EQUAL(amode, MPI_MODE_WRONLY | MPI_MODE_APPEND);
    CHECK_EQUAL(position(file), (round + 1ll) * size * sizeof values);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(file_size(file), (round + 1ll) * size * sizeof values);
    MPI_File_close(&file);
    file = open_shared(MPI_COMM_WORLD, "log", MPI_MODE_RDONLY);
    for (int i = 0; i <= round; ++i) {
        MPI_File_read_at(file, ((MPI_Offset)i * size + rank) * sizeof values, values, kInts, MPI_INT,
                         MPI_STATUS_IGNORE);
        for (int k = 0; k < kInts; ++k) CHECK_EQUAL(values[k], i ? i * 1000 + rank : -rank);
    }
    MPI_File_close(&file);
    return finish();
}
