// File views (MPI-3.1, 13.3): displacement, elementary type and file type, predefined, derived, of subarrays and after
// their types were freed.  Written and read through them before and after, and what MPI says about them is the same.
#include <string.h>

#include "mpi_file.h"

enum { kRows = 16, kColumns = 6 };

static void check_view(MPI_File file, MPI_Offset displacement, int combiner, int etype_size) {
    MPI_Offset got = -1;
    MPI_Datatype etype, filetype;
    char representation[MPI_MAX_DATAREP_STRING] = "";
    int integers, addresses, types, found, bytes;
    CHECK_EQUAL(MPI_File_get_view(file, &got, &etype, &filetype, representation), MPI_SUCCESS);
    CHECK_EQUAL(got, displacement);
    CHECK(strcmp(representation, "native") == 0);
    MPI_Type_size(etype, &bytes);
    CHECK_EQUAL(bytes, etype_size);
    MPI_Type_get_envelope(filetype, &integers, &addresses, &types, &found);
    // An MPI library may answer with a copy of what it was given.
    while (found != combiner && (found == MPI_COMBINER_DUP || found == MPI_COMBINER_CONTIGUOUS)) {
        MPI_Datatype inner;
        int count[1];
        MPI_Type_get_contents(filetype, integers, addresses, types, count, NULL, &inner);
        MPI_Type_free(&filetype);
        filetype = inner;
        MPI_Type_get_envelope(filetype, &integers, &addresses, &types, &found);
    }
    CHECK_EQUAL(found, combiner);
    if (found != MPI_COMBINER_NAMED) MPI_Type_free(&filetype);
    MPI_Type_get_envelope(etype, &integers, &addresses, &types, &found);
    if (found != MPI_COMBINER_NAMED) MPI_Type_free(&etype);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_views");
    MPI_Datatype columns, pair, strided;
    // A matrix of kRows rows, of which each rank has kColumns columns.
    int sizes[2] = {kRows, kColumns * size}, own[2] = {kRows, kColumns}, from[2] = {0, kColumns * rank};
    MPI_Type_create_subarray(2, sizes, own, from, MPI_ORDER_C, MPI_DOUBLE, &columns);
    MPI_Type_commit(&columns);
    MPI_File matrix = open_shared(MPI_COMM_WORLD, "matrix", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File_set_view(matrix, 8, MPI_DOUBLE, columns, "native", MPI_INFO_NULL);
    MPI_Type_free(&columns);
    // Pairs of integers, round robin over the ranks.
    MPI_Type_contiguous(2, MPI_INT, &pair);
    MPI_Type_commit(&pair);
    MPI_Type_create_resized(pair, 0, 2 * sizeof(int) * size, &strided);
    MPI_Type_commit(&strided);
    MPI_File pairs = open_shared(MPI_COMM_WORLD, "pairs", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File_set_view(pairs, 2 * sizeof(int) * rank, pair, strided, "native", MPI_INFO_NULL);
    MPI_File plain = open_shared(MPI_COMM_WORLD, "plain", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File_set_view(plain, 100, MPI_INT, MPI_INT, "native", MPI_INFO_NULL);

    double cells[kRows * kColumns];
    for (int i = 0; i < kRows * kColumns; ++i) cells[i] = rank * 1000 + i;
    int numbers[20];
    for (int i = 0; i < 20; ++i) numbers[i] = rank * 1000 + i;
    CHECK_EQUAL(MPI_File_write_all(matrix, cells, kRows * kColumns / 2, MPI_DOUBLE, MPI_STATUS_IGNORE), MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_write(pairs, numbers, 10, MPI_INT, MPI_STATUS_IGNORE), MPI_SUCCESS);
    ready();
    wait_for_go();

    check_view(matrix, 8, MPI_COMBINER_SUBARRAY, sizeof(double));
    check_view(pairs, 2 * sizeof(int) * rank, MPI_COMBINER_RESIZED, 2 * sizeof(int));
    check_view(plain, 100, MPI_COMBINER_NAMED, sizeof(int));
    CHECK_EQUAL(position(matrix), kRows * kColumns / 2);
    CHECK_EQUAL(position(pairs), 5);
    CHECK_EQUAL(
        MPI_File_write_all(matrix, cells + kRows * kColumns / 2, kRows * kColumns / 2, MPI_DOUBLE, MPI_STATUS_IGNORE),
        MPI_SUCCESS);
    CHECK_EQUAL(MPI_File_write(pairs, numbers + 10, 10, MPI_INT, MPI_STATUS_IGNORE), MPI_SUCCESS);
    MPI_Offset bytes = 0;
    MPI_File_get_byte_offset(plain, 5, &bytes);
    CHECK_EQUAL(bytes, 100 + 5 * sizeof(int));
    MPI_Barrier(MPI_COMM_WORLD);

    CHECK_EQUAL(MPI_File_set_view(matrix, 8, MPI_DOUBLE, MPI_DOUBLE, "native", MPI_INFO_NULL), MPI_SUCCESS);
    for (int row = 0; row < kRows; ++row)
        for (int of = 0; of < size; ++of) {
            double got[kColumns];
            MPI_File_read_at(matrix, (row * size + of) * kColumns, got, kColumns, MPI_DOUBLE, MPI_STATUS_IGNORE);
            for (int i = 0; i < kColumns; ++i) CHECK_EQUAL(got[i], of * 1000 + row * kColumns + i);
        }
    CHECK_EQUAL(MPI_File_set_view(pairs, 0, MPI_INT, MPI_INT, "native", MPI_INFO_NULL), MPI_SUCCESS);
    for (int i = 0; i < 20; ++i)
        for (int of = 0; of < size; ++of) {
            int got = -1;
            MPI_File_read_at(pairs, (i / 2 * size + of) * 2 + i % 2, &got, 1, MPI_INT, MPI_STATUS_IGNORE);
            CHECK_EQUAL(got, of * 1000 + i);
        }
    MPI_File_close(&matrix);
    MPI_File_close(&pairs);
    MPI_File_close(&plain);
    MPI_Type_free(&pair);
    MPI_Type_free(&strided);
    return finish();
}
