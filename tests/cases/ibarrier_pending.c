// Even ranks start a non-blocking barrier and test it, odd ones start it only after some computation: a cut comes when
// the last one has, and completes the barrier.  Nobody may find it complete before; all wait for it afterwards.
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "ibarrier_pending");
    // Rank 1 writes down which round it is about to enter: seen by all without MPI.  A restore may find a later one.
    char path[PATH_MAX] = "";
    if (rank == 1) strcpy(path, case_path("entered"));
    int file = rank == 1 ? open(path, O_RDWR | O_CREAT | O_EXCL, 0600) : -1;
    MPI_Bcast(path, sizeof path, MPI_CHAR, 1, MPI_COMM_WORLD);
    if (rank != 1) file = open(path, O_RDONLY);
    CHECK(file >= 0);

    int round = 0, entered = 0;
    ready();
    do {
        MPI_Request request;
        int done = 0;
        ++round;
        if (rank % 2) compute_a_while();
        if (rank == 1) CHECK_EQUAL(pwrite(file, &round, sizeof round, 0), sizeof round);
        MPI_Ibarrier(MPI_COMM_WORLD, &request);
        if (rank % 2 == 0) {
            for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done; MPI_Test(&request, &done, MPI_STATUS_IGNORE)) nap();
            CHECK_EQUAL(pread(file, &entered, sizeof entered, 0), sizeof entered);
            if (entered < round) fail("the barrier of round %d completed when rank 1 had entered %d", round, entered);
        } else {
            compute_a_while();
        }
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK(request == MPI_REQUEST_NULL);
    } while (all_still_waiting(MPI_COMM_WORLD));
    return finish();
}
