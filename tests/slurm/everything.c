/* Uses every part of MPI that brings components of its own: messages of all sizes, collectives, communicators, windows
 * and files.  everything DIRECTORY.  The last line of rank 0 is `everything done`. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, size;

static void require(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "everything: rank %d: %s\n", rank, what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static void messages(char *out, char *in) {
    for (int bytes = 1; bytes <= 1 << 22; bytes *= 4) {
        memset(out, bytes & 0x7f, (size_t)bytes);
        MPI_Sendrecv(out, bytes, MPI_BYTE, (rank + 1) % size, 1, in, bytes, MPI_BYTE, (rank + size - 1) % size, 1,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        require(memcmp(in, out, (size_t)bytes) == 0, "a message has other bytes than were sent");
    }
}

static void collectives(MPI_Comm comm) {
    enum { MOST = 1 << 16 };
    static int from[MOST], to[MOST];
    MPI_Request request;
    int members, half;

    MPI_Comm_size(comm, &members);
    half = MOST / members;
    for (int count = 1; count <= half; count *= 16) {
        MPI_Allreduce(from, to, count, MPI_INT, MPI_SUM, comm);
        MPI_Reduce(from, to, count, MPI_INT, MPI_MAX, 0, comm);
        MPI_Bcast(from, count, MPI_INT, 0, comm);
        MPI_Allgather(from, count, MPI_INT, to, count, MPI_INT, comm);
        MPI_Alltoall(from, count, MPI_INT, to, count, MPI_INT, comm);
        MPI_Gather(from, count, MPI_INT, to, count, MPI_INT, 0, comm);
        MPI_Scatter(from, count, MPI_INT, to, count, MPI_INT, 0, comm);
        MPI_Scan(from, to, count, MPI_INT, MPI_SUM, comm);
        MPI_Iallreduce(from, to, count, MPI_INT, MPI_SUM, comm, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        MPI_Ibarrier(comm, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    MPI_Barrier(comm);
}

static void communicators(void) {
    MPI_Comm halves, grid, copy, node, between;
    int dimensions[1] = {size}, periodic[1] = {1};

    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &halves);
    collectives(halves);
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    MPI_Cart_create(copy, 1, dimensions, periodic, 1, &grid);
    collectives(grid);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    collectives(node);
    if (size > 1) {
        MPI_Intercomm_create(halves, 0, copy, 1 - rank % 2, 3, &between);
        MPI_Barrier(between);
        MPI_Comm_free(&between);
    }
    MPI_Comm_free(&node);
    MPI_Comm_free(&grid);
    MPI_Comm_free(&copy);
    MPI_Comm_free(&halves);
}

/* Within each node: native Open MPI 4.1 refuses a window across nodes over TCP (MPI_ERR_WIN). */
static void windows(void) {
    MPI_Comm node;
    MPI_Win window;
    int *memory, value, members, next;

    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node);
    MPI_Comm_rank(node, &value);
    MPI_Comm_size(node, &members);
    next = (value + 1) % members;
    MPI_Win_allocate(sizeof value, sizeof value, MPI_INFO_NULL, node, &memory, &window);
    MPI_Win_fence(0, window);
    MPI_Put(&value, 1, MPI_INT, next, 0, 1, MPI_INT, window);
    MPI_Win_fence(0, window);
    require(*memory == (value + members - 1) % members, "a window has another value than was put");
    MPI_Barrier(node);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, next, 0, window);
    MPI_Accumulate(&value, 1, MPI_INT, next, 0, 1, MPI_INT, MPI_SUM, window);
    MPI_Win_unlock(next, window);
    MPI_Win_free(&window);
    MPI_Win_allocate_shared(sizeof value, sizeof value, MPI_INFO_NULL, node, &memory, &window);
    MPI_Win_free(&window);
    MPI_Comm_free(&node);
}

static void files(const char *directory) {
    char path[4096];
    MPI_File file;
    MPI_Datatype strided;
    int values[64], got[64];

    snprintf(path, sizeof path, "%s/everything.data", directory);
    for (int i = 0; i < 64; ++i) values[i] = rank * 64 + i;
    MPI_Type_vector(64, 1, size, MPI_INT, &strided);
    MPI_Type_commit(&strided);
    require(MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file) == MPI_SUCCESS,
            "cannot open the file");
    MPI_File_set_view(file, rank * (MPI_Offset)sizeof(int), MPI_INT, strided, "native", MPI_INFO_NULL);
    MPI_File_write_all(file, values, 64, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_seek(file, 0, MPI_SEEK_SET);
    MPI_File_read_all(file, got, 64, MPI_INT, MPI_STATUS_IGNORE);
    require(memcmp(values, got, sizeof got) == 0, "the file has other values than were written");
    MPI_File_set_view(file, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);
    MPI_File_write_shared(file, &rank, 1, MPI_INT, MPI_STATUS_IGNORE);
    MPI_File_close(&file);
    MPI_Type_free(&strided);
}

int main(int argc, char **argv) {
    char *out = calloc(1, 1 << 22), *in = calloc(1, 1 << 22);

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(argc == 2 && out && in, "usage: everything DIRECTORY");
    messages(out, in);
    collectives(MPI_COMM_WORLD);
    communicators();
    windows();
    files(argv[1]);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) puts("everything done");
    MPI_Finalize();
    free(out);
    free(in);
    return 0;
}
