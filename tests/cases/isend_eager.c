// Small messages sent but not yet received at the cut; their requests are waited for after it.
#include "testcase_mpi.h"

enum { kMessages = 50 };

int main(int argc, char **argv) {
    start(&argc, &argv, "isend_eager");
    int left = (rank + size - 1) % size, right = (rank + 1) % size;
    char sent[kMessages][64], got[64];
    MPI_Request requests[kMessages];
    for (int i = 0; i < kMessages; ++i) {
        fill(sent[i], i + 1, 1000 * rank + i);
        MPI_Isend(sent[i], i + 1, MPI_CHAR, right, i % 7, MPI_COMM_WORLD, &requests[i]);
    }
    ready();
    wait_for_go();

    for (int i = 0; i < kMessages; ++i) {
        MPI_Status status;
        int count;
        MPI_Recv(got, sizeof got, MPI_CHAR, left, i % 7, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_CHAR, &count);
        CHECK_EQUAL(count, i + 1);
        expect(got, count, 1000 * left + i, "an eager message");
    }
    MPI_Waitall(kMessages, requests, MPI_STATUSES_IGNORE);
    return finish();
}
