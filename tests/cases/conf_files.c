// What MPI-IO offers besides the common calls, on a file that is open over the cut: hints, group, extents, preallocation,
// shared pointer in all its forms, collective and non-blocking reads (MPI-3.1, 13.2 to 13.6).
#include "mpi_file.h"

enum { kCount = 8 };

static int complaints = 0;
static void complain(MPI_File *file, int *error, ...) {
    CHECK(*file != MPI_FILE_NULL);
    CHECK_EQUAL(*error, MPI_ERR_OTHER);
    ++complaints;
}

static void expect_numbers(const int *numbers, int first) {
    for (int i = 0; i < kCount; ++i) CHECK_EQUAL(numbers[i], first + i);
}

static void use(MPI_File file) {
    int mine[kCount], got[kCount];
    MPI_Status status;
    MPI_Request request;
    const MPI_Offset at = (MPI_Offset)rank * sizeof mine;
    for (int i = 0; i < kCount; ++i) mine[i] = 100 * rank + i;
    MPI_File_iwrite_at(file, at, mine, kCount, MPI_INT, &request);
    MPI_Wait(&request, &status);
    CHECK_EQUAL(moved(&status, MPI_INT), kCount);
    MPI_File_sync(file);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_sync(file);

    MPI_File_read_at_all(file, at, got, kCount, MPI_INT, &status);
    expect_numbers(got, 100 * rank);
    MPI_File_iread_at_all(file, at, got, kCount, MPI_INT, &request);
    MPI_Wait(&request, &status);
    expect_numbers(got, 100 * rank);
    MPI_File_seek(file, at, MPI_SEEK_SET);
    MPI_File_iread_all(file, got, kCount, MPI_INT, &request);
    MPI_Wait(&request, &status);
    expect_numbers(got, 100 * rank);
    MPI_File_seek_shared(file, 0, MPI_SEEK_SET);
    MPI_File_read_ordered(file, got, kCount, MPI_INT, &status);
    expect_numbers(got, 100 * rank);
    MPI_File_seek_shared(file, 0, MPI_SEEK_SET);
    MPI_File_read_ordered_begin(file, got, kCount, MPI_INT);
    MPI_File_read_ordered_end(file, got, &status);
    expect_numbers(got, 100 * rank);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_File_seek_shared(file, 0, MPI_SEEK_SET);
    if (rank == 0) {
        MPI_File_read_shared(file, got, kCount, MPI_INT, &status);
        expect_numbers(got, 0);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == size - 1) {
        MPI_File_seek(file, at, MPI_SEEK_SET);
        MPI_File_iread_shared(file, got, kCount, MPI_INT, &request);
        MPI_Wait(&request, &status);
        if (size > 1) expect_numbers(got, 100);
    }
    MPI_File_seek(file, at, MPI_SEEK_SET);
    MPI_File_write_all_begin(file, mine, kCount, MPI_INT);
    MPI_File_write_all_end(file, mine, &status);
    MPI_File_seek(file, at, MPI_SEEK_SET);
    MPI_File_iwrite_all(file, mine, kCount, MPI_INT, &request);
    MPI_Wait(&request, &status);
    CHECK_EQUAL(moved(&status, MPI_INT), kCount);
}

int main(int argc, char **argv) {
    MPI_Aint extent = 0;
    MPI_Group group;
    MPI_Info hints;
    MPI_Errhandler handler;
    MPI_Offset length = -1;
    int members = -1, error;
    start(&argc, &argv, "conf_files");
    MPI_File file = open_shared(MPI_COMM_WORLD, "data", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File gone = open_shared(MPI_COMM_SELF, rank == 0 ? "gone" : "data", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_Info_create(&hints);
    MPI_Info_set(hints, "access_style", "read_mostly");
    MPI_File_set_info(file, hints);
    MPI_Info_free(&hints);
    MPI_File_create_errhandler(complain, &handler);
    MPI_File_set_errhandler(file, handler);
    MPI_Errhandler_free(&handler);
    MPI_File_preallocate(file, 4096);
    use(file);
    ready();
    wait_for_go();
    use(file);
    MPI_File_call_errhandler(file, MPI_ERR_OTHER);
    CHECK_EQUAL(complaints, 1);
    MPI_File_get_type_extent(file, MPI_DOUBLE, &extent);
    CHECK_EQUAL(extent, 8);
    MPI_File_get_group(file, &group);
    MPI_Group_size(group, &members);
    CHECK_EQUAL(members, size);
    MPI_Group_free(&group);
    MPI_File_get_size(file, &length);
    CHECK_EQUAL(length, 4096);
    MPI_File_close(&file);
    MPI_File_close(&gone);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) CHECK_EQUAL(MPI_File_delete(shared_path("gone"), MPI_INFO_NULL), MPI_SUCCESS);
    error = MPI_File_delete(shared_path("never"), MPI_INFO_NULL); /* default handler of files: MPI_ERRORS_RETURN */
    CHECK(error != MPI_SUCCESS);
    MPI_Error_class(error, &error);
    CHECK_EQUAL(error, MPI_ERR_NO_SUCH_FILE);
    return finish();
}
