// Shared file pointers (MPI-3.1, 13.4.4): records of all ranks one behind another, none lost, none twice, in order
// where that was asked for; the pointer stands where it stood.
#include "mpi_file.h"

enum { kRecord = 48 };

int main(int argc, char **argv) {
    start(&argc, &argv, "mpiio_shared_pointer");
    char record[kRecord];
    MPI_Datatype type;
    MPI_Type_contiguous(kRecord, MPI_CHAR, &type);
    MPI_Type_commit(&type);
    MPI_File any = open_shared(MPI_COMM_WORLD, "any", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File ordered = open_shared(MPI_COMM_WORLD, "ordered", MPI_MODE_CREATE | MPI_MODE_RDWR);
    MPI_File_set_view(any, 16, type, type, "native", MPI_INFO_NULL);
    MPI_Type_free(&type);
    for (int i = 0; i < 10; ++i) {
        fill(record, kRecord, rank * 100 + i);
        CHECK_EQUAL(MPI_File_write_shared(any, record, kRecord, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
        CHECK_EQUAL(MPI_File_write_ordered(ordered, record, kRecord, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    CHECK_EQUAL(shared_position(any), size * 10);
    CHECK_EQUAL(shared_position(ordered), size * 10 * kRecord);
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 10; i < 20; ++i) {
        fill(record, kRecord, rank * 100 + i);
        MPI_Request request;
        CHECK_EQUAL(MPI_File_iwrite_shared(any, record, kRecord, MPI_CHAR, &request), MPI_SUCCESS);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK_EQUAL(MPI_File_write_ordered(ordered, record, kRecord, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_EQUAL(file_size(ordered), size * 20 * kRecord);
    CHECK_EQUAL(file_size(any), size * 20 * kRecord + 16);
    for (int i = 0; i < 20; ++i) {
        CHECK_EQUAL(MPI_File_read_at(ordered, (MPI_Offset)(i * size + rank) * kRecord, record, kRecord, MPI_CHAR,
                                     MPI_STATUS_IGNORE),
                    MPI_SUCCESS);
        expect(record, kRecord, rank * 100 + i, "a record written in order");
    }
    // Each record once, wherever it is.
    int seen[20] = {0};
    for (int at = 0; at < size * 20; ++at) {
        char wanted[kRecord];
        CHECK_EQUAL(MPI_File_read_at(any, at, record, kRecord, MPI_CHAR, MPI_STATUS_IGNORE), MPI_SUCCESS);
        for (int i = 0; i < 20; ++i) {
            fill(wanted, kRecord, rank * 100 + i);
            int same = 1;
            for (int k = 0; k < kRecord; ++k) same &= wanted[k] == record[k];
            seen[i] += same;
        }
    }
    for (int i = 0; i < 20; ++i) CHECK_EQUAL(seen[i], 1);
    MPI_File_close(&any);
    MPI_File_close(&ordered);
    return finish();
}
