// The program itself asks for checkpoints, from one rank at a time, while another one is in a receive.  Not linked
// with anything of sckpt: the function is weak, and there only when the job can be checkpointed.
#include "preload/sckpt.h"
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "call_checkpoint");
    int round = 0, more = 1;
    double asked = MPI_Wtime();
    ready();
    while (more) {
        ++round;
        if (rank == size - 1) {
            if (sckpt_checkpoint && MPI_Wtime() > asked + 0.5) {
                CHECK_EQUAL(sckpt_checkpoint(), 0);
                asked = MPI_Wtime();
            }
            more = still_waiting();
            const int message[2] = {round, more};
            for (int other = 0; other < size - 1; ++other) MPI_Send(message, 2, MPI_INT, other, 9, MPI_COMM_WORLD);
            nap();
        } else {
            int message[2];
            MPI_Recv(message, 2, MPI_INT, size - 1, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            CHECK_EQUAL(message[0], round);
            more = message[1];
        }
    }
    check_comm(MPI_COMM_WORLD, size);
    MPI_Finalize();
    if (sckpt_checkpoint) CHECK_EQUAL(sckpt_checkpoint(), -1);
    return pass();
}
