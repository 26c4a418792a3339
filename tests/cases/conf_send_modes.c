// The send modes in their blocking, non-blocking and persistent forms, with requests in flight at the cut, of no data,
// to MPI_PROC_NULL and to oneself (MPI-3.1, 3.4, 3.7, 3.9, 3.11).
#include <stdlib.h>

#include "testcase_mpi.h"

enum { kModes = 7, kRounds = 3 };

int main(int argc, char **argv) {
    int in[kRounds][kModes], out[kModes], detached = 0, flag = -1;
    MPI_Request receives[kRounds][kModes], ready_send, buffered, standing[2], nobody;
    MPI_Status status;
    void *back = NULL;
    const int bytes = 4096 + 16 * MPI_BSEND_OVERHEAD;
    char *const room = malloc(bytes);
    start(&argc, &argv, "conf_send_modes");
    const int to = (rank + 1) % size, from = (rank + size - 1) % size;
    MPI_Buffer_attach(room, bytes);
    for (int i = 0; i < kRounds; ++i)
        for (int k = 0; k < kModes; ++k) {
            in[i][k] = -1;
            MPI_Irecv(&in[i][k], 1, MPI_INT, from, 10 * i + k, MPI_COMM_WORLD, &receives[i][k]);
        }
    MPI_Barrier(MPI_COMM_WORLD); /* all receives are posted: ready mode is correct */
    MPI_Rsend_init(&out[5], 1, MPI_INT, to, 15, MPI_COMM_WORLD, &standing[0]);
    MPI_Bsend_init(&out[6], 1, MPI_INT, to, 16, MPI_COMM_WORLD, &standing[1]);
    for (int i = 0; i < kRounds; ++i) {
        for (int k = 0; k < kModes; ++k) out[k] = 1000 * i + 100 * rank + k;
        if (i == 1) {
            ready();
            wait_for_go();
        }
        MPI_Rsend(&out[0], 1, MPI_INT, to, 10 * i, MPI_COMM_WORLD);
        MPI_Irsend(&out[1], 1, MPI_INT, to, 10 * i + 1, MPI_COMM_WORLD, &ready_send);
        MPI_Bsend(&out[2], 1, MPI_INT, to, 10 * i + 2, MPI_COMM_WORLD);
        MPI_Ibsend(&out[3], 1, MPI_INT, to, 10 * i + 3, MPI_COMM_WORLD, &buffered);
        MPI_Send(&out[4], 1, MPI_INT, to, 10 * i + 4, MPI_COMM_WORLD);
        MPI_Wait(&ready_send, MPI_STATUS_IGNORE);
        MPI_Wait(&buffered, MPI_STATUS_IGNORE);
        if (i == 1) {
            MPI_Startall(2, standing);
            MPI_Waitall(2, standing, MPI_STATUSES_IGNORE);
        } else {
            MPI_Send(&out[5], 1, MPI_INT, to, 10 * i + 5, MPI_COMM_WORLD);
            MPI_Send(&out[6], 1, MPI_INT, to, 10 * i + 6, MPI_COMM_WORLD);
        }
    }
    for (int i = 0; i < kRounds; ++i) {
        MPI_Waitall(kModes, receives[i], MPI_STATUSES_IGNORE);
        for (int k = 0; k < kModes; ++k) CHECK_EQUAL(in[i][k], 1000 * i + 100 * from + k);
    }
    MPI_Buffer_detach(&back, &detached);
    CHECK(back == room);
    CHECK_EQUAL(detached, bytes);

    MPI_Recv(NULL, 0, MPI_INT, MPI_PROC_NULL, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    CHECK_EQUAL(status.MPI_SOURCE, MPI_PROC_NULL);
    CHECK_EQUAL(status.MPI_TAG, MPI_ANY_TAG);
    MPI_Isend(NULL, 0, MPI_INT, MPI_PROC_NULL, 1, MPI_COMM_WORLD, &nobody);
    MPI_Test(&nobody, &flag, &status);
    CHECK_EQUAL(flag, 1);
    MPI_Sendrecv(NULL, 0, MPI_BYTE, rank, 3, NULL, 0, MPI_BYTE, rank, 3, MPI_COMM_WORLD, &status);
    CHECK_EQUAL(status.MPI_SOURCE, rank);
    MPI_Request_free(&standing[0]);
    MPI_Request_free(&standing[1]);
    free(room);
    return finish();
}
