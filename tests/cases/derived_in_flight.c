// A message of a derived type is in flight at the cut, and a receive into a derived type, freed since, is pending.
#include "testcase_mpi.h"

enum { kSide = 20 };

int main(int argc, char **argv) {
    start(&argc, &argv, "derived_in_flight");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    int matrix[kSide][kSide], column[kSide], target[kSide][kSide] = {{0}};
    MPI_Datatype strided;
    MPI_Request requests[3];
    for (int i = 0; i < kSide; ++i)
        for (int j = 0; j < kSide; ++j) matrix[i][j] = 10000 * rank + 100 * i + j;
    MPI_Type_vector(kSide, 1, kSide, MPI_INT, &strided);
    MPI_Type_commit(&strided);
    MPI_Isend(&matrix[0][3], 1, strided, right, 1, MPI_COMM_WORLD, &requests[0]);
    MPI_Irecv(&target[0][5], 1, strided, left, 2, MPI_COMM_WORLD, &requests[1]);
    MPI_Type_free(&strided);
    ready();
    wait_for_go();

    MPI_Recv(column, kSide, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = 0; i < kSide; ++i) CHECK_EQUAL(column[i], 10000 * left + 100 * i + 3);
    for (int i = 0; i < kSide; ++i) column[i] = 7 * i + rank;
    MPI_Isend(column, kSide, MPI_INT, right, 2, MPI_COMM_WORLD, &requests[2]);
    MPI_Waitall(3, requests, MPI_STATUSES_IGNORE);
    for (int i = 0; i < kSide; ++i)
        for (int j = 0; j < kSide; ++j) CHECK_EQUAL(target[i][j], j == 5 ? 7 * i + left : 0);
    return finish();
}
